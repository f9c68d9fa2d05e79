"""The life of a session, from its launch to its end, and whatever finds it again later."""
