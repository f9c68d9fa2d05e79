"""The keeper sends notices to webhooks: each once, however often it or the receiver is down."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.cli.command import run
from tests.keeper.keeper import Keeper, running_keeper
from tests.search.stored_sessions import StoredSessions
from tests.server import wait_for, write_settings
from tests.store.rows import execute, rows
from tests.webhooks.receiver import SECRET, Received, Receiver, is_signed, receiver
from webapp.keeper.deliver import PAUSES_SECONDS

PAST = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@contextmanager
def sending(stored: StoredSessions, **urls: str) -> Iterator[Keeper]:
    """A keeper with a webhook for each URL; it has taken them from its settings."""
    folder = stored.var.parent
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "secret").chmod(0o600)
    tables = {
        name: {"url": url, "secret_file": str(folder / "secret"), "allow_private": True}
        for name, url in urls.items()
    }
    write_settings(folder / "agent-stream.toml", {}, webhooks=tables)
    with running_keeper(folder, CONFIG=str(folder / "agent-stream.toml"), SEARCH="0") as keeper:
        wait_for(lambda: len(rows(stored.database, "SELECT * FROM webhooks")) == len(urls))
        yield keeper


def add_notice(stored: StoredSessions, key: str, kind: str = "failed") -> None:
    execute(
        stored.database,
        "INSERT INTO notices (key, kind, agent, text, made_at) VALUES (:key, :kind, 'demo', 'x',"
        " '2026-11-28T09:00:00.000Z')",
        key=key,
        kind=kind,
    )


def keys_of(receiver: Receiver) -> list[str]:
    return [json.loads(request.body)["data"]["key"] for request in receiver.received]


def pass_time(stored: StoredSessions) -> None:
    """Have what waits be due, as it is once its pause is over."""
    execute(stored.database, f"UPDATE deliveries SET next_at = '{PAST}' WHERE next_at IS NOT NULL")


def _has_attempts(stored: StoredSessions, number: int) -> bool:
    return attempts(stored) == [number]


def attempts(stored: StoredSessions) -> list[int]:
    return [row["attempts"] for row in rows(stored.database, "SELECT attempts FROM deliveries")]


def test_notices_from_the_first_start_on_are_sent_once_and_signed(
    stored: StoredSessions, there: Receiver
) -> None:
    add_notice(stored, "before")
    with sending(stored, phone=there.url) as keeper:
        add_notice(stored, "one")
        add_notice(stored, "two")
        wait_for(lambda: len(there.received) == 2)
        wait_for(lambda: attempts(stored) == [1, 1])
        keeper.end_worker()
    add_notice(stored, "while none ran")
    with sending(stored, phone=there.url):
        wait_for(lambda: len(there.received) == 3)
        add_notice(stored, "four")
        wait_for(lambda: len(there.received) == 4)
    assert keys_of(there) == ["one", "two", "while none ran", "four"]
    assert all(map(is_signed, there.received))
    assert len({request.headers["webhook-id"] for request in there.received}) == 4


def test_receiver_that_was_down_gets_each_once_after_a_restart(
    stored: StoredSessions, there: Receiver
) -> None:
    there.stop()
    with sending(stored, phone=there.url) as keeper:
        for key in ("one", "two", "three"):
            add_notice(stored, key)
        wait_for(lambda: attempts(stored) == [1, 1, 1])
        keeper.process.kill()
        keeper.process.wait()
    there.start()
    with sending(stored, phone=there.url):
        pass_time(stored)
        wait_for(lambda: len(there.received) == 3)
        add_notice(stored, "four")
        wait_for(lambda: len(there.received) == 4)
    assert sorted(keys_of(there)) == ["four", "one", "three", "two"]


def test_attempts_of_one_notice_have_one_id_and_the_last_is_a_dead_letter(
    stored: StoredSessions, there: Receiver
) -> None:
    there.answer = lambda request: 500
    with sending(stored, phone=there.url):
        add_notice(stored, "one")
        for number in range(1, len(PAUSES_SECONDS) + 2):
            wait_for(partial(_has_attempts, stored, number))
            pass_time(stored)
        assert len(there.received) == len(PAUSES_SECONDS) + 1
        assert len({request.headers["webhook-id"] for request in there.received}) == 1
        add_notice(stored, "two")
        wait_for(lambda: "two" in keys_of(there))
        assert keys_of(there).count("one") == len(PAUSES_SECONDS) + 1

        found = run(
            stored.var.parent, "doctor", "--json",
            AGENT_STREAM_CONFIG=str(stored.var.parent / "agent-stream.toml"),
        ).stdout  # fmt: skip
    lines = [json.loads(line) for line in found.splitlines()]
    said = [line["message"] for line in lines if line["check"] == "webhooks"]
    assert "phone: 1 dead letter(s)" in said[0]
    assert "answered 500" in said[0]
    assert SECRET not in found


def test_pauses_grow_up_to_hours(stored: StoredSessions, there: Receiver) -> None:
    there.stop()
    with sending(stored, phone=there.url):
        add_notice(stored, "one")
        wait_for(lambda: attempts(stored) == [1])
        query = "SELECT (julianday(next_at) - julianday('now')) * 86400 AS seconds FROM deliveries"
        assert 0 < rows(stored.database, query)[0]["seconds"] < 10
        execute(stored.database, f"UPDATE deliveries SET attempts = 10, next_at = '{PAST}'")
        wait_for(lambda: attempts(stored) == [11])
        assert 6000 < rows(stored.database, query)[0]["seconds"] < 9000


def test_webhook_that_never_answers_holds_up_no_other(
    stored: StoredSessions, there: Receiver
) -> None:
    def hang(_request: Received) -> int:
        time.sleep(600)
        return 200

    there.answer = hang
    with receiver() as other, sending(stored, hangs=there.url, works=other.url) as keeper:
        for key in ("one", "two"):
            add_notice(stored, key)
        wait_for(lambda: keys_of(other) == ["one", "two"])
        assert keys_of(there) == ["one"]
        assert keeper.end_worker(10) == 0  # nor the keeper's end


def test_webhook_that_was_removed_is_forgotten(stored: StoredSessions, there: Receiver) -> None:
    there.stop()
    with sending(stored, phone=there.url):
        add_notice(stored, "one")
        wait_for(lambda: attempts(stored) == [1])
    with sending(stored):
        wait_for(lambda: attempts(stored) == [])


def test_only_the_chosen_events_are_sent(stored: StoredSessions, there: Receiver) -> None:
    folder = stored.var.parent
    table = {
        "url": there.url, "events": ["approval", "lost"], "template": "ntfy", "allow_private": True,
    }  # fmt: skip
    write_settings(folder / "agent-stream.toml", {}, webhooks={"phone": table})
    with running_keeper(folder, CONFIG=str(folder / "agent-stream.toml"), SEARCH="0"):
        wait_for(lambda: rows(stored.database, "SELECT * FROM webhooks"))
        for kind in ("turn_ended", "failed", "lost"):
            add_notice(stored, kind, kind)
        wait_for(lambda: there.received)
        wait_for(lambda: attempts(stored) == [1])
    (request,) = there.received
    assert request.headers["title"] == "demo was lost"
