"""Last-Event-ID, and the offset in the query: whatever a client sends, it gets what follows."""

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from tests.clients.event_source import Dispatched, events_of
from tests.fuzz.budget import fuzz, mutated, mutations
from tests.http.client import Client
from tests.http.conftest import open_client

MESSAGE = 'echo a; echo \'{"type":"x"}\'; echo b >&2; printf c; sleep 0.2; echo d'
headers = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker."""
    with open_client(tmp_path_factory.mktemp("fuzz")) as opened:
        yield opened


class Ended:
    """A session that has ended, and all that there is to say of it."""

    def __init__(self, client: Client) -> None:
        self.workflow_id = client.create_workflow()
        self.session_id = client.invoke(MESSAGE, self.workflow_id)
        client.machine.wait_until_gone(client.machine.find(self.session_id))
        self.events = client.stream(f"sessionId={self.session_id}")
        self.offsets = [0, *(int(event.last_event_id) for event in self.events)]
        self.size = self.offsets[-1]

    def check_rest(self, found: list[Dispatched], offset: int | None) -> None:
        """What comes after an offset; None for what is none: something is told, in order."""
        is_gap = found[0].type == "notice" and not found[0].last_event_id
        told = [(event.type, event.data) for event in (found[1:] if is_gap else found)]
        whole = [(event.type, event.data) for event in self.events]
        assert told == whole[len(whole) - len(told) :]
        assert told[-1][0] == "done"
        if offset in self.offsets:
            assert not is_gap
            assert len(told) == len(whole) - self.offsets.index(offset)
        elif offset is not None:
            assert is_gap
            passed = sum(0 < one <= offset for one in self.offsets[:-1])
            assert len(told) == len(whole) - passed - (passed < len(whole) - 1)
        else:
            assert is_gap


def read_number(text: str) -> int | None:
    """The offset that an id stands for; None for garbage."""
    if text == "":
        return 0
    return int(text[:19]) if text.isascii() and text.isdigit() else None


def test_any_last_event_id_gives_what_follows(client: Client) -> None:
    ended = Ended(client)
    numbers = st.integers(-(10**30), 10**30) | st.integers(-5, ended.size + 5)
    offsets = st.sampled_from(ended.offsets)
    changed = st.builds(mutated, offsets.map(lambda offset: str(offset).encode()), mutations)
    ids = headers | numbers.map(str) | offsets.map(str) | changed.map(as_header)

    def check(last_id: str, is_header: bool) -> None:
        last_id = last_id.strip()  # which is no part of a header
        if is_header:
            query, head = f"sessionId={ended.session_id}", {"Last-Event-ID": last_id}
            response = client.get(f"/api/agent-stream?{query}", **head)
        else:
            asked = {"sessionId": ended.session_id, "offset": last_id}
            response = client.http.get("/api/agent-stream", query_string=asked)
        offset = read_number(last_id)
        assert response.status_code == (204 if offset == ended.size else 200), last_id
        if response.status_code == 200:
            ended.check_rest(events_of(response.data), offset)

    fuzz(check, ids, st.booleans(), share=0.6)


def test_any_last_event_id_of_a_started_session_starts_no_other(client: Client) -> None:
    ended = Ended(client)
    known = [f"{ended.session_id}/{offset}" for offset in ended.offsets]
    changed = st.builds(mutated, st.sampled_from(known).map(str.encode), mutations)
    ids = headers | st.sampled_from(known) | changed.map(as_header)
    count = client.session_count()

    def check(last_id: str) -> None:
        last_id = last_id.strip()
        path = f"/api/agent-stream?workflowId={ended.workflow_id}&message=true"
        response = client.get(path, **{"Last-Event-ID": last_id})
        assert response.status_code in (200, 204), last_id
        session_id, _slash, offset = last_id.partition("/")
        if session_id == ended.session_id:
            is_over = read_number(offset) == ended.size
            assert response.status_code == (204 if is_over else 200)
        if response.status_code == 200:
            for event in events_of(response.data):
                assert event.last_event_id.startswith((f"{ended.session_id}/", last_id))
        assert client.session_count() == count

    fuzz(check, ids, share=0.4)


def as_header(value: bytes) -> str:
    """Bytes as a header can hold them."""
    kept = bytes(byte for byte in value if byte >= 32 and byte != 127)
    return kept.decode("latin-1")
