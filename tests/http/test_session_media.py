"""`GET /api/sessions/<id>/media/…`: pictures and files out of what an agent prints."""

import base64
import json
import sys
from typing import Any

import pytest

from tests.http.client import Client, plain_error

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1800
HTML = b"<script>alert(1)</script>" * 100
KEY = "sk-ant-api03-" + "Ab3_" * 12

AGENT = f"""
import base64, json, os, sys
def say(value):
    left = memoryview(json.dumps(value).encode() + b"\\n")
    while left: left = left[os.write(1, left):]
def block(data, kind):
    letters = base64.b64encode(data).decode()
    return {{"type": "image", "mimeType": kind, "data": letters}}
png = {PNG[:264]!r} + bytes(range(256)) * 1799
text = "x" * 700_000 + " {KEY} y"
content = [block(png, "text/html"), {{"type": "text", "text": text}}, block(png, "a/b")]
say({{"type": "tool_result", "id": "1", "content": [block(png[:2000], "image/png")]}})
say({{"type": "tool_result", "id": "2", "content": content}})
say({{"type": "tool_result", "id": "3", "content": [block({HTML!r}, "text/html")]}})
"""


@pytest.fixture(scope="module")
def printed(client: Client) -> str:
    """A session that printed three results with media."""
    script = f"{sys.executable} -I -S - <<'END'\n{AGENT}\nEND\n"
    session_id = client.invoke(script)
    client.machine.wait_until_gone(client.machine.find(session_id))
    return session_id


def results(client: Client, session_id: str, query: str = "") -> list[dict[str, Any]]:
    found = [event.data for event in client.stream(f"sessionId={session_id}{query}")]
    data = [json.loads(text) for text in found]
    return [one for one in data if one.get("type") == "tool_result"]


def pictures(client: Client, session_id: str) -> list[dict[str, Any]]:
    return [
        block["data"]
        for result in results(client, session_id)
        for block in result["content"]
        if "data" in block
    ]


def test_each_picture_of_a_result_is_fetched_by_its_reference(client: Client, printed: str) -> None:
    found = pictures(client, printed)
    assert [(one["mediaType"], one["bytes"]) for one in found] == [
        ("image/png", 2000),
        ("image/png", len(PNG)),
        ("image/png", len(PNG)),
        ("application/octet-stream", len(HTML)),
    ]
    for reference, expected in zip(found, [PNG[:2000], PNG, PNG, HTML], strict=True):
        response = client.get(f"/api/sessions/{printed}/{reference['url']}")
        assert (response.status_code, response.data) == (200, expected)
        assert response.mimetype == reference["mediaType"]
        assert response.content_length == reference["bytes"]


def test_media_is_immutable_and_can_run_nothing(client: Client, printed: str) -> None:
    shown, *_, saved = (
        f"/api/sessions/{printed}/{one['url']}" for one in pictures(client, printed)
    )
    for path, disposition in ((shown, "inline"), (saved, "attachment")):
        response = client.get(path)
        headers = response.headers
        assert headers["Content-Disposition"].startswith(disposition)
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
        again = client.get(path, If_None_Match=headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        assert client.head(path).data == b""


@pytest.mark.parametrize(
    "name", ["0.0", "1.0", "{end}.7", "99999999999.0", "{inside}.0", "0", "-1.0", "x.png"]
)
def test_what_no_event_names_is_not_found(client: Client, printed: str, name: str) -> None:
    offset = int(pictures(client, printed)[0]["url"].removeprefix("media/").split(".")[0])
    path = name.format(end=offset, inside=offset - 5)
    response = client.get(f"/api/sessions/{printed}/media/{path}")
    assert plain_error(response)[:2] == (404, "NOT_FOUND")


def test_no_base64_is_in_what_viewers_get_and_all_of_it_is_in_the_log(
    client: Client, printed: str
) -> None:
    letters = base64.b64encode(PNG)[:100].decode()
    shown = client.get(f"/api/agent-stream?sessionId={printed}").data.decode()
    page = client.get(f"/api/sessions/{printed}/events").data.decode()
    for text in (shown, page):
        assert letters not in text
        assert text.count('"id": "2"') == 1
        assert len(text) < 200_000
    raw = client.get(f"/api/agent-stream?sessionId={printed}&format=raw").data.decode()
    log = client.get(f"/api/sessions/{printed}/log?stream=stdout").data.decode()
    for text in (raw, log):
        assert text.count(letters) == 3
    sizes = [
        len(block.get("data", ""))
        for line in log.splitlines()
        for block in json.loads(line)["content"]
    ]
    assert sizes == [2668, 614412, 0, 614412, 3336]


def test_secret_in_a_line_longer_than_a_record_is_redacted(client: Client, printed: str) -> None:
    for path in (f"/api/agent-stream?sessionId={printed}", f"/api/sessions/{printed}/log"):
        assert KEY not in client.get(path).data.decode()
    log = client.get(f"/api/sessions/{printed}/log?stream=stdout").data.decode()
    assert "x [redacted] y" in log
