"""The log: one record a line, and the events that follow from it.

Nothing may be imported here: the runner imports `webapp.log.record` and must stay small.
"""
