"""The runner: one small detached process a session, which owns the agent and its log.

Of the standard library it uses little, since `json`, `signal`, `typing` or `dataclasses`
would add to the memory of every session; of this project `log/record.py` and `log/redact.py`
only, whose `re` the fork server loads once for all of its runners; and the SQLite driver
that the web uses, for the two writes to its row.
"""
