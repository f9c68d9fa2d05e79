"""The inputs of the tRPC procedures; some routes of the plain JSON API take the same."""

from typing import Annotated, Any

from msgspec import Meta

from webapp.http.inputs import Input, Required, max_bytes
from webapp.http.session_changes import State, Turn
from webapp.sessions.input import MAX_INPUT_BYTES
from webapp.sessions.new_session import MAX_MESSAGE_BYTES
from webapp.store.notices import MAX_LISTED
from webapp.store.workflow_marks import MAX_TITLE_BYTES

MAX_PATH_BYTES = 4096
StageIndex = Annotated[int, Meta(ge=0, le=10_000)]
Message = Annotated[str, max_bytes(MAX_MESSAGE_BYTES)]


class CreateWorkflow(Input):
    request_id: str | None = None
    template: str | None = None
    initial_message: Message | None = None
    project: Annotated[Required, max_bytes(MAX_PATH_BYTES)] | None = None
    worktree: bool | None = None


class OneWorkflow(Input):
    workflow_id: Required


class Discard(Input):
    workflow_id: Required
    even_untaken: bool | None = None


class Rename(Input):
    workflow_id: Required
    title: Annotated[str, max_bytes(MAX_TITLE_BYTES)]


class SetPinned(Input):
    workflow_id: Required
    pinned: bool


class SetArchived(Input):
    workflow_id: Required
    archived: bool


class WorkflowPage(Input):
    status: str | None = None
    project: Annotated[Required, max_bytes(MAX_PATH_BYTES)] | None = None
    text: str | None = None
    pinned: bool | None = None
    archived: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] | None = None
    cursor: str | None = None


class InvokeAgent(Input):
    workflow_id: Required
    message: Message | None = None
    stage_index: StageIndex | None = None
    agent: str | None = None
    idempotency_key: str | None = None
    by: str | None = None
    mode: str | None = None
    model: str | None = None


class SendMessage(Input):
    workflow_id: Required
    content: Annotated[Required, max_bytes(MAX_MESSAGE_BYTES)]
    stage_index: StageIndex | None = None
    idempotency_key: str | None = None


class History(Input):
    workflow_id: Required
    limit: Annotated[int, Meta(ge=1, le=1000)] | None = None
    cursor: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class Follow(Input):
    workflow_id: Required
    last_event_id: Any = None


class OneStage(Input):
    workflow_id: Required
    stage_index: StageIndex | None = None


class SetStatus(Input):
    workflow_id: Required
    status: Required


class Changes(Input):
    session_id: Required
    turn: Turn | None = None


class FileDiff(Input):
    session_id: Required
    path: Required
    turn: Turn | None = None
    state: State | None = None


class OneSession(Input):
    session_id: Required


class SendInput(Input):
    session_id: Required
    content: Annotated[str, max_bytes(MAX_INPUT_BYTES)] | None = None
    end: bool | None = None
    idempotency_key: str | None = None
    by: str | None = None


class Interrupt(Input):
    session_id: Required
    by: str | None = None


class CancelMessage(Input):
    session_id: Required
    message_id: Required


class SetMode(Input):
    session_id: Required
    mode: Required
    by: str | None = None


class SetModel(Input):
    session_id: Required
    model: Required
    by: str | None = None


class AnswerText(Input):
    """What an answer to an approval says; which one is in the path, or beside it."""

    option: Required
    message: Annotated[str, max_bytes(MAX_INPUT_BYTES)] | None = None
    input: dict[str, Any] | None = None
    answers: dict[str, Any] | None = None
    by: str | None = None


class Answer(AnswerText, kw_only=True):
    session_id: Required
    approval_id: Required


class Nothing(Input):
    """No field."""


class FollowAll(Input):
    last_event_id: Any = None


class Heard(Input):
    keys: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=MAX_LISTED)]


class Seen(Input):
    workflow_id: str | None = None
