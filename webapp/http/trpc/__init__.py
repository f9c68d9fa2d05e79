"""tRPC 11 over HTTP: the protocol, and apart from it the procedures.

https://trpc.io/docs/rpc
"""

from webapp.http.trpc.endpoint import blueprint

__all__ = ["blueprint"]
