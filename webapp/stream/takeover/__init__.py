"""The way that scales: under gunicorn's gevent worker a stream's socket becomes ours.

`takeover.py` has all of them; `tail.py` writes to those that are parked. Needs gevent; only
`connection.py` does not.
"""
