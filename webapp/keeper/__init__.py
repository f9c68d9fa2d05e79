"""The background process: search index, compression and retention of finished sessions."""
