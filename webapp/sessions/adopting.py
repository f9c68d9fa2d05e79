"""Take over a conversation that was begun elsewhere: an ended session that the next one resumes."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.agents.profiles import Profile
from webapp.errors import Conflict
from webapp.log.record import format_record
from webapp.log.system_records import done_record, session_record
from webapp.sessions import importing
from webapp.store import rebuilding, workflows
from webapp.store.conversations import find_session_of
from webapp.store.engine import Database
from webapp.store.ids import new_session_id
from webapp.store.models import Session, now


@dataclass(frozen=True)
class Elsewhere:
    """A conversation that an agent holds, as far as it is known."""

    conversation_id: str
    cwd: str
    title: str | None = None


def adopt(
    database: Database, var: Path, profile: Profile, found: Elsewhere, workflow_id: str | None
) -> Session:
    """Make a session that has ended and holds the conversation; in a workflow of its own unless
    one is given. Conflict where a session here holds it already."""
    known = database.read_sql(lambda sql: find_session_of(sql, found.conversation_id))
    if known is not None:
        raise Conflict(f"Conversation {found.conversation_id} is that of session {known} already.")
    if workflow_id is None:
        workflow_id = database.write(
            lambda orm: (
                workflows.create_workflow(
                    orm, template="chat", request_id=None, initial_message=found.title
                ).id
            )
        )
    stage = database.read_sql(lambda sql: workflows.stage_for_invoke(sql, workflow_id, None))
    facts = database.read_sql(lambda sql: rebuilding.workflow_facts(sql, workflow_id))
    records = _records(profile, found, workflow_id, stage.stage_index, facts)
    return importing.adopt(database, var, records, [])


def _records(
    profile: Profile, found: Elsewhere, workflow_id: str, stage_index: int, facts: object
) -> Iterator[bytes]:
    yield _record(
        session_record(
            session_id=new_session_id(),
            workflow_id=workflow_id,
            stage_index=stage_index,
            agent=profile.name,
            dialect=profile.dialect,
            messages=profile.messages,
            pid=None,
            started_at=now(),
            runner_pid=None,
            host=socket.gethostname(),
            argv=[],
            cwd=found.cwd,
            takes_input=True,
            created_at=now(),
            workflow=facts,
            talk=profile.talk,
        )
    )
    yield _record({"type": "conversation", "conversationId": found.conversation_id})
    yield _record(done_record("succeeded", 0, None, None, idle=True))


def _record(content: dict[str, Any]) -> bytes:
    return format_record(time.time_ns(), b"system", json.dumps(content).encode())
