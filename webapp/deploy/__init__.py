"""Files that put a server into service, printed by `agent-stream deploy` with its own paths."""
