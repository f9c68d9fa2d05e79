"""Agents: the profiles, which say what a name runs and as which user, and the demo agents."""
