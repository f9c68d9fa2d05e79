"""The head of a request without a body, read whole and strictly: what nearly all viewers send.

It never says what a head means that could be read in two ways: that one is left to the server.
"""

import re

_HEAD = re.compile(
    rb"GET (/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))? HTTP/1\.1\r\n((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n"
)
_NOT_SIMPLE = {
    "HTTP_CONTENT_LENGTH",
    "HTTP_EXPECT",
    "HTTP_HTTP2_SETTINGS",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_X_FORWARDED_PROTOCOL",
    "HTTP_X_FORWARDED_SSL",
}
"""A body, another protocol, or what the server takes for a sign of TLS."""


def read_head(data: bytes) -> dict[str, str] | None:
    """What a WSGI environment has of it; None if it is not whole, not alone, or not simple."""
    found = _HEAD.fullmatch(data)
    if found is None:
        return None
    path, query, fields = found.groups()
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode(),
        "QUERY_STRING": query.decode() if query else "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    for line in fields.decode().split("\r\n")[:-1]:
        name, _colon, value = line.partition(":")
        key = "HTTP_" + name.upper().replace("-", "_")
        if key in environ or key in _NOT_SIMPLE:
            return None
        environ[key] = value.strip()
    if environ.get("HTTP_CONNECTION", "keep-alive").lower() != "keep-alive":
        return None
    return environ if "HTTP_HOST" in environ and "%" not in environ["PATH_INFO"] else None
