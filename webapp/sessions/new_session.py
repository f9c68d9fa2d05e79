"""A session that is about to start: its command, its row, and what its runner gets."""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from webapp.agents.profiles import MAX_ARGUMENT_BYTES, Profile
from webapp.agents.run_as import AgentUser
from webapp.errors import BadRequest
from webapp.log.record import MAX_LINE_BYTES
from webapp.sessions.layout import SessionFiles
from webapp.settings import Settings
from webapp.store import shapes
from webapp.store.models import Session, now
from webapp.store.workflows import InvokedStage

MAX_MESSAGE_BYTES = 1 << 20


@dataclass(frozen=True)
class Invocation:
    """A request to start an agent, as a client makes it."""

    workflow_id: str
    message: str | None = None
    stage_index: int | None = None
    agent: str | None = None
    by: str | None = None
    """Who asks, for an agent that holds a conversation."""
    folder: str | None = None
    """Where it runs, for who has a shell; never from a client."""
    mode: str | None = None
    """In which the conversation goes on; None: as it was."""
    model: str | None = None
    """With which it goes on; None: as it was."""


Message = Mapping[str, str | None]
"""What a person sends to an agent that talks: `id`, `content`, `by`."""


@dataclass(frozen=True)
class Resumption:
    """What a new session takes up of a conversation."""

    previous_session: Session | None = None
    """The session that held it last; None: it begins here."""
    messages: tuple[Message, ...] = ()
    """First those that no agent has taken."""


@dataclass(frozen=True)
class NewSession:
    """All that is decided of a session before its stage is known."""

    id: str
    invocation: Invocation
    profile: Profile
    user: AgentUser | None
    files: SessionFiles
    cwd: str
    project: str | None
    program_folder: str
    """What its program's path is relative to: never to a project that a client has chosen."""
    resumption: Resumption

    @property
    def mode(self) -> str | None:
        """The one that was asked for, or as it was when the conversation was left, or the
        profile's."""
        if self.invocation.mode is not None:
            return self.invocation.mode
        before = self.resumption.previous_session
        return self.profile.mode if before is None or before.mode is None else before.mode

    @property
    def conversation_id(self) -> str | None:
        """The agent's own id of the conversation that goes on; None for a new one."""
        before = self.resumption.previous_session
        return None if before is None else before.conversation_id

    def argv(self, stage_index: int) -> list[str]:
        """The command. BadRequest for a message that a command line cannot hold."""
        values = {
            "message": self.invocation.message or "",
            "workflowId": self.invocation.workflow_id,
            "sessionId": self.id,
            "stageIndex": str(stage_index),
            "conversation": self.conversation_id or "",
            "mode": self.mode or "",
        }
        argv = self.profile.argv(values, is_resumed=self.conversation_id is not None)
        if "/" in argv[0] and self.cwd != self.program_folder:
            argv[0] = os.path.join(self.program_folder, argv[0])
        for argument in argv:
            _check_argument(argument, self.profile)
        return argv

    def row(
        self, argv: list[str], stage_index: int, var: Path, host: str, redact: Callable[[str], str]
    ) -> Session:
        """Its row: nothing in it is a secret."""
        before = self.resumption.previous_session
        return Session(
            id=self.id,
            workflow_id=self.invocation.workflow_id,
            stage_index=stage_index,
            agent=self.profile.name,
            argv=json.dumps([redact(argument) for argument in argv], ensure_ascii=False),
            cwd=redact(self.cwd),
            project=self.project,
            takes_input=int(self.profile.input or self.profile.talk is not None),
            host=host,
            log_path=str(self.files.log.relative_to(var)),
            status="starting",
            created_at=now(),
            talk=self.profile.talk,
            mode=None if self.profile.talk is None else self.mode,
            conversation_id=self.conversation_id,
            resumed_from=None if before is None else before.id,
            session_rules=None if before is None else before.session_rules,
        )

    def stdin(self) -> str | None:
        """What the runner gives its agent to read first; for one that talks a JSON list."""
        if self.profile.talk is not None:
            own = new_message(self.invocation)
            return json.dumps(self.resumption.messages or ([] if own is None else [own]))
        return self.invocation.message if self.profile.message == "stdin" else None

    def spec(
        self,
        session: Session,
        argv: list[str],
        stage: InvokedStage,
        workflow: object,
        settings: Settings,
        database: Path,
    ) -> dict[str, object]:
        """The content of `run.json`: see webapp/runner/spec.py."""
        profile = self.profile
        return {
            "sessionId": session.id,
            "workflowId": session.workflow_id,
            "stageIndex": session.stage_index,
            "agent": session.agent,
            "dialect": profile.dialect,
            "messages": profile.messages,
            "argv": argv,
            "cwd": self.cwd,
            "runAs": None if self.user is None else asdict(self.user),
            "host": session.host,
            "createdAt": session.created_at,
            "graceSeconds": settings.grace_seconds,
            "maxSeconds": profile.max_seconds,
            "maxLogBytes": profile.max_log_bytes,
            "maxLineBytes": MAX_LINE_BYTES,
            "maxEventBytes": settings.max_event_bytes,
            "takesInput": bool(session.takes_input),
            "leaveBackground": profile.leave_background,
            "hasAgentGate": stage.has_agent_gate,
            "database": str(database.resolve()),
            "redactKeys": settings.redact_keys,
            "workflow": workflow,
            "remembers": self._remembered(session),
            "talk": None if profile.talk is None else self._talk(session, settings.var.resolve()),
        }

    def _remembered(self, session: Session) -> dict[str, Any] | None:
        """Of an agent of one message that can go on with a conversation."""
        if self.profile.talk is not None or self.profile.resume_command is None:
            return None
        return {
            "conversationId": session.conversation_id,
            "resumedFrom": session.resumed_from,
        }

    def _talk(self, session: Session, var: Path) -> dict[str, Any]:
        profile, before = self.profile, self.resumption.previous_session
        return {
            "protocol": profile.talk,
            "mode": session.mode,
            "model": self.invocation.model or (None if before is None else before.model),
            "conversationId": session.conversation_id,
            "resumedFrom": session.resumed_from,
            "allow": profile.allow,
            "deny": profile.deny,
            "sessionRules": shapes.read_list(session.session_rules),
            "idleSeconds": profile.idle_seconds,
            "turnSeconds": profile.turn_seconds,
            "approvalSeconds": profile.approval_seconds,
            "conversations": str(var / "conversations"),
        }


def new_message(invocation: Invocation, key: str | None = None) -> Message | None:
    """The message of a request; its id is the client's key, or made from it."""
    if invocation.message is None:
        return None
    message_id = _message_id(invocation.workflow_id, key)
    return {"id": message_id, "content": invocation.message, "by": invocation.by}


def _message_id(workflow_id: str, key: str | None) -> str:
    if key is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(key))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{workflow_id} {key}"))


def _check_argument(argument: str, profile: Profile) -> None:
    if "\0" in argument:
        raise BadRequest(
            f"Agent {profile.name!r} takes the message on its command line, which cannot "
            "hold a NUL character.",
            field="message",
        )
    if len(argument.encode()) > MAX_ARGUMENT_BYTES:
        raise BadRequest(
            f"Agent {profile.name!r} takes the message on its command line, which holds at "
            f"most {MAX_ARGUMENT_BYTES} bytes an argument; this one has "
            f"{len(argument.encode())}.",
            field="message",
        )
