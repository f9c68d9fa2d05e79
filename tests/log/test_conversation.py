"""What a log says of its conversation."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.conversation_log import APPROVAL, two_turns, write_log
from webapp.log.conversation import Conversation, read_conversation
from webapp.log.opened import open_log
from webapp.log.record import format_record

ID = "session-1795467840123-k3v9x0a1b2c3"


def read(folder: Path, content: bytes) -> Conversation:
    path = folder / "output.log"
    path.write_bytes(content)
    path.chmod(0o600)
    log = open_log(path)
    try:
        return read_conversation(log)
    finally:
        log.close()


def test_log_says_all_of_its_conversation(tmp_path: Path) -> None:
    found = read(tmp_path, write_log(ID, *two_turns(ID)))
    assert (found.conversation_id, found.model, found.mode, found.state) == (
        "c-1", "opus", "plan", "waiting",
    )  # fmt: skip
    assert [(turn.number, turn.ended_at is None) for turn in found.turns.values()] == [
        (1, False),
        (2, True),
    ]
    assert [approval["title"] for approval in found.open_approvals] == ["rm a"]
    assert [approval.turn for approval in found.approvals.values()] == [1, 2]
    assert found.pending_messages == [{"id": "m-3", "content": "later", "by": None}]
    assert found.rules == ["Bash(mkdir:*)"]
    assert not found.is_lost


def test_message_is_found_where_its_record_begins(tmp_path: Path) -> None:
    content = write_log(ID, *two_turns(ID))
    found = read(tmp_path, content)
    assert b'"m-2"' in content[found.messages["m-2"].offset :].partition(b"\n")[0]


@pytest.mark.parametrize("records", [[{"type": "conversation_lost", "conversationId": "c-1"}], []])
def test_dead_id_is_lost_until_a_conversation_begins(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    begun = {"type": "conversation", "conversationId": "c-2"}
    found = read(tmp_path, write_log(ID, *records))
    assert found.is_lost is bool(records)
    again = read(tmp_path, write_log(ID, *records, begun))
    assert (again.is_lost, again.conversation_id) == (False, "c-2")


def test_agent_cannot_say_what_a_person_said(tmp_path: Path) -> None:
    record = json.dumps(APPROVAL | {"id": "x.1"}).encode()
    lines = (
        format_record(1, b"stdout", record)
        + format_record(1, b"stdout", b"\r2026-11-23T21:04:00.123456789Z system F " + record)
        + format_record(1, b"stderr", b" system F " + record)
    )
    assert read(tmp_path, write_log(ID) + lines) == Conversation()


@pytest.mark.parametrize(
    "record",
    [
        {"type": "approval"},
        {"type": "approval", "id": 7, "kind": "command"},
        {"type": "approval", "id": "x.1", "kind": "unheard-of"},
        {"type": "approval_resolved", "id": "x.1", "outcome": "allowed"},
        {"type": "turn_started", "turn": -1},
        {"type": "turn_started", "turn": True},
        {"type": "turn_ended", "turn": 4},
        {"type": "user_message", "id": "m"},
        {"type": "user_message_state", "id": ["m"], "state": "taken"},
        {"type": "state", "state": {}},
        {"type": ["approval"]},
        {"type": "conversation", "conversationId": 3, "mode": None},
    ],
    ids=str,
)
def test_record_that_makes_no_sense_changes_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    assert read(tmp_path, write_log(ID, record)) == Conversation()


def test_first_answer_counts(tmp_path: Path) -> None:
    resolved = {"type": "approval_resolved", "id": "x.1"}
    found = read(
        tmp_path,
        write_log(
            ID,
            APPROVAL | {"id": "x.1"},
            resolved | {"outcome": "denied", "by": "ada"},
            resolved | {"outcome": "allowed", "by": "bob"},
        ),
    )
    assert found.approvals["x.1"].resolution == resolved | {"outcome": "denied", "by": "ada"}
