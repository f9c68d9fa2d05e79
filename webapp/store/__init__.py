"""The database: its tables and what is asked of them.

The runner writes its own rows (`runner/row.py`), and the search index is a database of its own
(`search/index.py`, `search/find.py`).
"""
