"""Agents: what a profile runs, how it is started, spoken to, and found lost."""
