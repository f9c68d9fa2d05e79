"""What this project uses of gunicorn, gevent and watchdog beyond what their documentation says.

One module a package, and nowhere else. `tests/test_compat.py` names the version that broke one.
"""
