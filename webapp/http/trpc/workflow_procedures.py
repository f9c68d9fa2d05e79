"""The procedures of workflows."""

from collections.abc import Iterator

from webapp.http import inputs
from webapp.http.services import services
from webapp.http.trpc.call_input import hashed_key, idempotency_key
from webapp.http.trpc.procedure import Ping, Tracked
from webapp.sessions import cancel as stopping
from webapp.sessions.launch import MAX_MESSAGE_BYTES, Invocation
from webapp.store import messages, progress, shapes, workflows

MOST_STAGES = 10_000
_ENDS_SESSIONS = ("cancelled", "discarded")


def create(value: object) -> object:
    """`workflow.create {requestId?, template?, initialMessage?}` → the workflow."""
    known = ("requestId", "template", "initialMessage")
    given = inputs.check_object({} if value is None else value, "input", known)
    template = inputs.optional_text(given, "template") or "chat"
    request_id = inputs.optional_text(given, "requestId")
    message = inputs.optional_text(given, "initialMessage", most_bytes=MAX_MESSAGE_BYTES)
    if message is not None:
        message = services().launcher.redact_message(message)
    templates = services().settings.templates
    return services().database.write(
        lambda orm: shapes.workflow(
            workflows.create_workflow(
                orm,
                template=template,
                request_id=request_id,
                initial_message=message,
                templates=templates,
            )
        )
    )


def get(value: object) -> object:
    """`workflow.get` with a plain id → the workflow."""
    workflow_id = inputs.required_text({"workflowId": value}, "workflowId")
    with services().database.read() as orm:
        return shapes.workflow(workflows.get_workflow(orm, workflow_id))


def list_page(value: object) -> object:
    """`workflow.list {status?, limit?, cursor?}` → `{workflows, nextCursor}`, newest first."""
    known = ("status", "limit", "cursor")
    given = inputs.check_object({} if value is None else value, "input", known)
    limit = inputs.optional_number(given, "limit", least=1, most=200) or 50
    with services().database.read() as orm:
        found = workflows.list_workflows(
            orm,
            status=inputs.optional_text(given, "status"),
            limit=limit + 1,
            cursor=inputs.optional_text(given, "cursor"),
        )
        rows = [shapes.workflow(workflow) for workflow in found[:limit]]
    return {
        "workflows": rows,
        "nextCursor": found[limit - 1].id if len(found) > limit else None,
    }


def invoke_agent(value: object) -> object:
    """`workflow.invokeAgent {workflowId, message?, stageIndex?, agent?}` → the new session."""
    known = ("workflowId", "message", "stageIndex", "agent", "idempotencyKey")
    given = inputs.check_object(value, "input", known)
    invocation = Invocation(
        workflow_id=inputs.required_text(given, "workflowId"),
        message=inputs.optional_text(given, "message", most_bytes=MAX_MESSAGE_BYTES),
        stage_index=_stage_index(given),
        agent=inputs.optional_text(given, "agent"),
    )
    session = services().invoke(invocation, hashed_key(given))
    return {
        "sessionId": session.id,
        "workflowId": session.workflow_id,
        "stageIndex": session.stage_index,
        "status": "running" if session.is_live else session.status,
    }


# --- the conversation -----------------------------------------------------------------


def send_message(value: object) -> object:
    """`workflow.sendMessage {workflowId, content, stageIndex?, idempotencyKey?}` → the message.

    It stands in the history, and starts no agent. The same key again adds nothing again.
    """
    known = ("workflowId", "content", "stageIndex", "idempotencyKey")
    given = inputs.check_object(value, "input", known)
    workflow_id = inputs.required_text(given, "workflowId")
    content = inputs.required_text(given, "content", most_bytes=MAX_MESSAGE_BYTES)
    content = services().launcher.redact_message(content)
    stage_index, key = _stage_index(given), idempotency_key(given)
    return services().database.write(
        lambda orm: shapes.message(progress.say(orm, workflow_id, content, stage_index, key))
    )


def get_history(value: object) -> object:
    """`workflow.getHistory {workflowId, limit?, cursor?}` → `{messages, nextCursor}`.

    The newest messages, oldest of them first; `nextCursor` leads to those before.
    """
    given = inputs.check_object(value, "input", ("workflowId", "limit", "cursor"))
    workflow_id = inputs.required_text(given, "workflowId")
    limit = inputs.optional_number(given, "limit", least=1, most=1000) or 200
    before = inputs.optional_number(given, "cursor", least=0, most=2**53)
    with services().database.read() as orm:
        workflows.get_workflow(orm, workflow_id)
        found = messages.messages_before(orm, workflow_id, before, limit + 1)
        page = [shapes.message(message) for message in reversed(found[:limit])]
    return {"messages": page, "nextCursor": page[0]["id"] if len(found) > limit else None}


def on_message(value: object) -> Iterator[Tracked | Ping]:
    """`workflow.onMessage {workflowId, lastEventId?}`: its messages, and those to come.

    From the first one, or after the one that `lastEventId` names.
    """
    given = inputs.check_object(value, "input", ("workflowId", "lastEventId"))
    workflow_id = inputs.required_text(given, "workflowId")
    last_id = given.get("lastEventId")
    last_text = last_id if isinstance(last_id, str) else str(last_id or "")
    services().admit_stream()
    with services().database.read() as orm:
        workflows.get_workflow(orm, workflow_id)
    followed = services().board.follow(workflow_id, last_text, services().settings.ping_seconds)
    return (
        Ping() if message is None else Tracked(str(message["id"]), message) for message in followed
    )


# --- its course -----------------------------------------------------------------------


def advance(value: object) -> object:
    """`workflow.advance {workflowId, stageIndex?}` → the workflow, in its next stage.

    `stageIndex` is the stage to leave: a request that comes twice does not skip one.
    """
    workflow_id, stage_index = _workflow_and_stage(value)
    return services().database.write(
        lambda orm: shapes.workflow(progress.advance(orm, workflow_id, stage_index))
    )


def satisfy_gate(value: object) -> object:
    """`workflow.satisfyGate {workflowId, stageIndex?}` → the workflow, its gate open."""
    workflow_id, stage_index = _workflow_and_stage(value)
    return services().database.write(
        lambda orm: shapes.workflow(progress.satisfy_gate(orm, workflow_id, stage_index))
    )


def update_status(value: object) -> object:
    """`workflow.updateStatus {workflowId, status}` → the workflow."""
    given = inputs.check_object(value, "input", ("workflowId", "status"))
    workflow_id = inputs.required_text(given, "workflowId")
    return _set_status(workflow_id, inputs.required_text(given, "status"))


def pause(value: object) -> object:
    """`workflow.pause {workflowId}`: it invokes no agent until it is resumed."""
    return _set_status(_workflow_id(value), "paused")


def resume(value: object) -> object:
    """`workflow.resume {workflowId}`."""
    return _set_status(_workflow_id(value), "active")


def cancel(value: object) -> object:
    """`workflow.cancel {workflowId}`, and its live sessions with it."""
    return _set_status(_workflow_id(value), "cancelled")


def discard(value: object) -> object:
    """`workflow.discard {workflowId}`: as cancel, for work that nobody wants to see again."""
    return _set_status(_workflow_id(value), "discarded")


def _set_status(workflow_id: str, status: str) -> object:
    """First the status, so that no session can be started any more; then those that live.

    The same request again ends what this one could not.
    """
    workflow = services().database.write(
        lambda orm: shapes.workflow(progress.set_status(orm, workflow_id, status))
    )
    if status in _ENDS_SESSIONS:
        stopping.cancel_sessions(services().database, services().launcher.var, workflow_id)
    return workflow


# --- input ----------------------------------------------------------------------------


def _workflow_id(value: object) -> str:
    given = inputs.check_object(value, "input", ("workflowId",))
    return inputs.required_text(given, "workflowId")


def _workflow_and_stage(value: object) -> tuple[str, int | None]:
    given = inputs.check_object(value, "input", ("workflowId", "stageIndex"))
    return inputs.required_text(given, "workflowId"), _stage_index(given)


def _stage_index(given: dict[str, object]) -> int | None:
    return inputs.optional_number(given, "stageIndex", least=0, most=MOST_STAGES)
