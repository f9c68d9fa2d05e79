"""A session whose log was compressed answers as before, byte for byte."""

from typing import Any

import pytest

from tests.http.client import Client
from webapp.keeper.compress import compress_log

SCRIPT = """
for n in 1 2 3 4 5; do echo '{"type":"tool_call","n":'$n'}'; echo "line $n" >&2; done
printf 'no newline'; sleep 0.1; echo ' and the end'; printf '\\377\\n'
"""


@pytest.fixture(scope="module")
def twice(client: Client) -> tuple[str, dict[str, Any]]:
    """A session that has been compressed, and what was answered before."""
    session_id = client.invoke(SCRIPT)
    client.machine.wait_until_gone(client.machine.find(session_id))
    before = answers(client, session_id)
    log = client.machine.files(client.machine.find(session_id)).log
    assert compress_log(log) is not None
    assert not log.exists()
    return session_id, before


def answers(client: Client, session_id: str) -> dict[str, Any]:
    """All that can be asked of a log, from every offset."""
    found: dict[str, Any] = {}
    size = client.session(session_id)["logBytes"]
    stream = f"/api/agent-stream?sessionId={session_id}"
    queries = [f"&offset={offset}" for offset in range(size + 3)]
    queries += ["&tail=3", "&from=2026-01-01T00:00:00Z", "&format=envelope", "&speed=1000"]
    for query in queries:
        response = client.get(stream + query)
        body = response.data.partition(b"\n")[2]  # after `retry:`, which is jittered
        found[query] = (response.status_code, body)
    for path in ("events", "events?order=desc&limit=3", "log", "log?stream=stdout"):
        response = client.get(f"/api/sessions/{session_id}/{path}")
        headers = {name: response.headers.get(name) for name in ("ETag", "Content-Length")}
        found[path] = (response.status_code, headers, response.data)
    for part in ("bytes=0-9", "bytes=100-", "bytes=-50", f"bytes={size}-", "bytes=7-7"):
        response = client.download(session_id, Range=part)
        found[part] = (response.status_code, response.headers.get("Content-Range"), response.data)
    return found


def test_every_answer_is_the_same(client: Client, twice: tuple[str, dict[str, Any]]) -> None:
    session_id, before = twice
    after = answers(client, session_id)
    assert [key for key in before if after[key] != before[key]] == []


def test_copy_from_before_is_still_good(client: Client, twice: tuple[str, dict[str, Any]]) -> None:
    session_id, before = twice
    _status, headers, content = before["log"]
    etag = headers["ETag"]
    assert client.download(session_id, If_None_Match=etag).status_code == 304
    part = client.download(session_id, Range="bytes=5-99", If_Range=etag)
    assert (part.status_code, part.data) == (206, content[5:100])
