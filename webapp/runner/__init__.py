"""The runner: one small detached process a session, which owns the agent and its log.

The fork server loads what it imports once, for all of its runners: of the standard library
little (no `typing`, no `dataclasses`), of this project the records, the redaction and the
dialects, and the SQLite driver that the web uses, to write its row.
"""
