"""Conversations: the runner speaks the protocol of an agent that takes many messages.

The fork server loads this with all else, once for all runners. A runner that imported it by
itself would copy 2 MB of shared pages for it; so it takes 0.1 MB, and nothing in the others.
"""
