"""One root error. Each kind knows its HTTP status and its tRPC code.

tRPC's codes: https://trpc.io/docs/server/error-handling#error-codes
"""

from typing import ClassVar


class AgentStreamError(Exception):
    """Anything that this project says to a person or a client."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """The input that is wrong, by the name it has on the wire."""
        self.retry_after = retry_after
        """Seconds after which it is worth trying again."""


class BadRequest(AgentStreamError):
    status, code = 400, "BAD_REQUEST"


class Unauthorized(AgentStreamError):
    status, code = 401, "UNAUTHORIZED"


class Forbidden(AgentStreamError):
    status, code = 403, "FORBIDDEN"


class NotFound(AgentStreamError):
    status, code = 404, "NOT_FOUND"


class MethodNotAllowed(AgentStreamError):
    status, code = 405, "METHOD_NOT_SUPPORTED"


class Conflict(AgentStreamError):
    status, code = 409, "CONFLICT"


class Gone(NotFound):
    """It was there once, and was deleted."""

    status = 410


class LengthRequired(AgentStreamError):
    status, code = 411, "BAD_REQUEST"


class PayloadTooLarge(AgentStreamError):
    status, code = 413, "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(AgentStreamError):
    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class RangeNotSatisfiable(AgentStreamError):
    status, code = 416, "BAD_REQUEST"


class MisdirectedRequest(AgentStreamError):
    status, code = 421, "FORBIDDEN"


class TooManyRequests(AgentStreamError):
    status, code = 429, "TOO_MANY_REQUESTS"


class ServiceUnavailable(AgentStreamError):
    status, code = 503, "SERVICE_UNAVAILABLE"


class SetupError(AgentStreamError):
    """The machine or the settings are not fit to start: one line that says what to do."""


JSONRPC_CODES = {
    "BAD_REQUEST": -32600,
    "PARSE_ERROR": -32700,
    "INTERNAL_SERVER_ERROR": -32603,
    "UNAUTHORIZED": -32001,
    "FORBIDDEN": -32003,
    "NOT_FOUND": -32004,
    "METHOD_NOT_SUPPORTED": -32005,
    "CONFLICT": -32009,
    "PAYLOAD_TOO_LARGE": -32013,
    "UNSUPPORTED_MEDIA_TYPE": -32015,
    "TOO_MANY_REQUESTS": -32029,
    "SERVICE_UNAVAILABLE": -32603,
}
"""https://github.com/trpc/trpc/blob/main/packages/server/src/unstable-core-do-not-import/rpc/codes.ts"""
