"""One table from exception to status, to JSON or a page."""

import errno
import logging

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from webapp.errors import (
    JSONRPC_CODES,
    AgentStreamError,
    BadRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RangeNotSatisfiable,
    ServiceUnavailable,
)
from webapp.http import login
from webapp.log.folder import NotRegular

TRPC_PREFIX = "/api/trpc/"

_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)
_TELLING_HEADERS = {405: "Allow", 416: "Content-Range"}
"""What could be had instead: https://datatracker.ietf.org/doc/html/rfc9110#section-15.5"""

logger = logging.getLogger(__name__)


class InternalError(AgentStreamError):
    """Our own fault; the details are in the server's log."""


def as_known_error(exception: Exception) -> AgentStreamError:
    """Any exception as one that knows its status. Ours to mend: logged with its traceback."""
    if isinstance(exception, AgentStreamError):
        return exception
    if isinstance(exception, RequestEntityTooLarge):
        return PayloadTooLarge("The request's body is too large.")
    if isinstance(exception, HTTPException):
        if exception.code == 404:
            return NotFound(f"There is nothing at {request.path}.")
        if exception.code == 416:
            return RangeNotSatisfiable("The file has no such range.", field="Range")
        if exception.code == 405:
            return MethodNotAllowed(f"{request.method} is not allowed at {request.path}.")
        if exception.code is not None and 400 <= exception.code < 500:
            return BadRequest(exception.description or exception.name)
    if isinstance(exception, NotRegular):
        return NotFound(f"The log cannot be read: {exception.strerror}.", field="sessionId")
    if isinstance(exception, OSError) and exception.errno in _OUT_OF_FILES:
        logger.error("%s %s: %s", request.method, request.path, exception)
        return ServiceUnavailable(
            f"The server cannot open another file now: {exception.strerror}.", retry_after=5
        )
    logger.error("%s %s failed", request.method, request.path, exc_info=exception)
    return InternalError("Something went wrong in the server; its log says what.")


def error_body(error: AgentStreamError, path: str) -> dict[str, object]:
    """tRPC's envelope of an error: https://trpc.io/docs/rpc#error-response"""
    data: dict[str, object] = {"code": error.code, "httpStatus": error.status, "path": path}
    if error.field is not None:
        data["field"] = error.field
    return {
        "error": {
            "message": error.message,
            "code": JSONRPC_CODES.get(error.code, JSONRPC_CODES["INTERNAL_SERVER_ERROR"]),
            "data": data,
        }
    }


def respond_to_error(exception: Exception) -> Response:
    """JSON for a program, a page for a person."""
    error = as_known_error(exception)
    if request.path.startswith(TRPC_PREFIX):
        # One error for a whole batch, as @trpc/server has it; the client gives it to each call.
        response = jsonify(error_body(error, request.path.removeprefix(TRPC_PREFIX)))
        response.status_code = error.status
    elif error.status == 401 and _wants_page():
        response = Response(
            login.render_login(request.script_root + request.full_path.removesuffix("?")), 401
        )
    elif _wants_page():
        page = render_template(
            "error.html", status=error.status, title=_title(error), message=error.message
        )
        response = Response(page, error.status)
    else:
        content = {"code": error.code, "message": error.message}
        if error.field is not None:
            content["field"] = error.field
        response = jsonify({"error": content})
        response.status_code = error.status
    if error.status == 401:
        # Not Basic: a browser would ask for the token itself, and send it with everything.
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(exception, HTTPException) and exception.code in _TELLING_HEADERS:
        name = _TELLING_HEADERS[exception.code]
        value = exception.get_response().headers.get(name)
        if value:
            response.headers[name] = value
    return response


def _wants_page() -> bool:
    if request.path.startswith("/api/"):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _title(error: AgentStreamError) -> str:
    titles = {404: "Not found", 401: "Not allowed", 403: "Not allowed", 503: "Busy"}
    return titles.get(error.status, "That did not work")


def register(app: Flask) -> None:
    """Handle every exception of the app here."""
    app.register_error_handler(Exception, respond_to_error)
