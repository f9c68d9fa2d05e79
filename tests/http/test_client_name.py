"""What a client is called where it does not say who uses it."""

import pytest

from webapp.http.client_name import client_name

MOZILLA = "Mozilla/5.0"
GECKO = "(KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            f"{MOZILLA} (Linux; Android 10; K) {GECKO} Chrome/138.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0) {GECKO} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
            "Edge on Windows",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {GECKO} Version/18.5 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{MOZILLA} (iPhone; like Mac OS X) {GECKO} CriOS/138.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (f"{MOZILLA} (compatible; something)", "Browser"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("node", "node"),
        ("<b>", None),
        ("", None),
    ],
)
def test_client_is_named_by_its_user_agent(user_agent: str, name: str | None) -> None:
    assert client_name(user_agent) == name
