"""`GET /api/search` and `/search`."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.client import Client, plain_error
from tests.http.conftest import MakeClient, open_client
from webapp.log.record import format_record
from webapp.search.fill import Filler
from webapp.search.index import SearchIndex
from webapp.search.texts import chunks
from webapp.sessions.layout import new_session_files

SCRIPT = (
    """echo 'the <b>needle</b> is here'; echo '{"type":"message","content":"and \\"there\\""}'"""
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, list[str]]]:
    """A worker whose sessions are indexed."""
    with open_client(tmp_path_factory.mktemp("search")) as client:
        ids = [client.invoke(SCRIPT) for _ in range(3)]
        for session_id in ids:
            client.machine.wait_until_gone(client.machine.find(session_id))
        index = SearchIndex(client.machine.var)
        filler = Filler(client.machine.database, client.machine.var, index)
        sum(filler.learn())
        assert sum(filler.steps()) > 0
        index.close()
        yield client, sorted(ids, reverse=True)


def search(client: Client, query: str) -> dict[str, Any]:
    """What the API answers."""
    response = client.get(f"/api/search?{query}")
    assert response.status_code == 200, response.data
    found: dict[str, Any] = response.get_json()
    return found


def test_hit_names_its_session_and_the_moment(searched: tuple[Client, list[str]]) -> None:
    client, ids = searched
    found = search(client, "q=needle&limit=1")
    (result,) = found["results"]
    assert result["sessionId"] in ids
    assert (result["agent"], result["status"], result["hasMore"]) == ("sh", "succeeded", False)
    (hit,) = result["hits"]
    assert [part["text"] for part in hit["snippet"] if part["match"]] == ["needle"]
    assert hit["url"] == f"/sessions/{result['sessionId']}?at={hit['id']}"
    first = client.stream(f"sessionId={result['sessionId']}&offset={hit['offset']}")[0]
    assert "needle" in first.data
    assert first.last_event_id == hit["id"]


def test_cursor_leads_through_all_of_it(searched: tuple[Client, list[str]]) -> None:
    client, ids = searched
    found, query = [], "q=needle&limit=1"
    while True:
        page = search(client, query)
        found += [result["sessionId"] for result in page["results"]]
        if page["nextCursor"] is None:
            break
        query = f"q=needle&limit=1&cursor={page['nextCursor']}"
    assert sorted(found, reverse=True) == ids


def test_filters_are_taken(searched: tuple[Client, list[str]]) -> None:
    client, ids = searched
    assert len(search(client, "q=there&agent=sh&since=1h")["results"]) == 3
    assert search(client, "q=there&agent=other")["results"] == []
    assert search(client, "q=there&since=2099-01-01")["results"] == []
    (only,) = search(client, f"q=there&sessionId={ids[1]}")["results"]
    assert only["sessionId"] == ids[1]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("", "q", "q is empty"),
        ("q=%22open", "q", "a quote that is not closed"),
        ("q=a+OR", "q", "ends after OR"),
        ("q=a&since=yesterday", "since", "since is 'yesterday', expected 24h"),
        ("q=a&limit=51", "limit", "from 1 to 50"),
        ("q=a&cursor=x", "cursor", "cursor is 'x'"),
    ],
)
def test_bad_query_is_refused_with_a_reason(
    client: Client, query: str, field: str, message: str
) -> None:
    response = client.get(f"/api/search?{query}")
    assert plain_error(response) == (400, "BAD_REQUEST", field)
    assert message in response.get_json()["error"]["message"]


def test_page_shows_what_was_found_as_text(searched: tuple[Client, list[str]]) -> None:
    client, ids = searched
    page = client.get("/search?q=needle").get_data(as_text=True)
    assert "the &lt;b&gt;<mark>needle</mark>&lt;/b&gt; is here" in page
    for session_id in ids:
        assert f'href="/sessions/{session_id}?at=' in page
    assert "Nothing matches" in client.get("/search?q=nowhere").get_data(as_text=True)


def test_session_without_a_row_is_left_out(searched: tuple[Client, list[str]]) -> None:
    client, _ids = searched
    var, session_id = client.machine.var, "session-1790000000000-k3v9x0a1b2c3"
    log = new_session_files(var, session_id).log
    log.parent.mkdir(parents=True)
    record = format_record(1, b"stdout", b"rowless")
    log.write_bytes(record)
    index = SearchIndex(var)
    index.add([(session_id, "sh", True)])
    (entry,) = (one for one in index.to_do() if one.session_id == session_id)
    index.append(entry, list(chunks(record, 0, is_end=True)), len(record), is_done=True)
    index.close()
    assert search(client, "q=rowless")["results"] == []
    assert "Nothing matches" in client.get("/search?q=rowless").get_data(as_text=True)


def test_page_says_what_is_wrong_with_a_query(client: Client) -> None:
    response = client.get("/search?q=%22%3Cscript%3E")
    assert response.status_code == 400
    page = response.get_data(as_text=True)
    assert "a quote that is not closed" in page
    assert "<script>" not in page
    assert client.get("/search").status_code == 200


def test_search_that_is_off_says_so(make_client: MakeClient) -> None:
    response = make_client(search=False).get("/api/search?q=a")
    assert plain_error(response)[0] == 503
    assert "AGENT_STREAM_SEARCH" in response.get_json()["error"]["message"]
