"""Search over what all sessions have printed: a database of its own, made again at any time."""
