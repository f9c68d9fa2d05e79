"""agent-stream: agents run in the background, and any worker streams them to anyone.

Nothing may be imported here: the runner, one process a session, imports this package.
"""
