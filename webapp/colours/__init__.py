"""Syntax colours, by Pygments."""
