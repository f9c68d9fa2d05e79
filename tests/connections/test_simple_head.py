"""Which heads are read at once, and which are left to the server."""

import pytest

from webapp.connections.simple_head import read_head

START = b"GET /api/agent-stream?sessionId=a&b=%20c HTTP/1.1\r\n"
HOST = b"Host: localhost:8000\r\n"


def test_simple_head_gives_what_a_wsgi_environment_has_of_it() -> None:
    environ = read_head(START + HOST + b"Last-Event-ID:  12 \r\nCookie: a=b; c=d:e\r\n\r\n")
    assert environ == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/api/agent-stream",
        "QUERY_STRING": "sessionId=a&b=%20c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "localhost:8000",
        "HTTP_LAST_EVENT_ID": "12",
        "HTTP_COOKIE": "a=b; c=d:e",
    }


@pytest.mark.parametrize(
    "head",
    [
        b"",
        START,
        START + HOST,
        START + b"\r\n",
        START + HOST + b"\r\nGET / HTTP/1.1\r\n\r\n",
        START.replace(b"GET", b"POST") + HOST + b"\r\n",
        START.replace(b"GET", b"get") + HOST + b"\r\n",
        START.replace(b"1.1", b"1.0") + HOST + b"\r\n",
        START.replace(b"a&b", b"a b") + HOST + b"\r\n",
        START.replace(b"a&b", b"a#b") + HOST + b"\r\n",
        START.replace(b"a&b", b"a\xffb") + HOST + b"\r\n",
        START.replace(b"/api", b"/%61pi") + HOST + b"\r\n",
        START.replace(b"/api", b"http://x/api") + HOST + b"\r\n",
        START.replace(b"\r\n", b"\n") + HOST + b"\r\n",
        START + HOST + HOST + b"\r\n",
        START + HOST + b"X-A: 1\r\nX-a: 2\r\n\r\n",
        START + HOST + b"X_A: 1\r\n\r\n",
        START + HOST + b"X A: 1\r\n\r\n",
        START + HOST + b"X-A : 1\r\n\r\n",
        START + HOST + b"X-A: 1\r\n folded\r\n\r\n",
        START + HOST + b"X-A: \x00\r\n\r\n",
        START + HOST + b"X-A: 1\rX-B: 2\r\n\r\n",
        START + HOST + b"X-A: 1\nX-B: 2\r\n\r\n",
        START + HOST + b"Content-Length: 0\r\n\r\n",
        START + HOST + b"Transfer-Encoding: chunked\r\n\r\n",
        START + HOST + b"Connection: close\r\n\r\n",
        START + HOST + b"Connection: keep-alive, upgrade\r\n\r\n",
        START + HOST + b"Upgrade: h2c\r\n\r\n",
        START + HOST + b"Expect: 100-continue\r\n\r\n",
        START + HOST + b"X-Forwarded-Ssl: on\r\n\r\n",
    ],
)
def test_head_that_is_not_whole_or_not_simple_is_left_to_the_server(head: bytes) -> None:
    assert read_head(head) is None
