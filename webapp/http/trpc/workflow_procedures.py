"""The procedures of workflows."""

from collections.abc import Iterator

from webapp.errors import BadRequest
from webapp.http.inputs import convert
from webapp.http.services import services, who
from webapp.http.trpc import structs
from webapp.http.trpc.call_input import hashed_key, idempotency_key
from webapp.http.trpc.procedure import Ping, Tracked
from webapp.keeper.deletion import delete_workflow
from webapp.sessions import cancel as stopping
from webapp.sessions.new_session import Invocation
from webapp.store import messages, progress, shapes, workflow_marks, workflows
from webapp.store.latest_sessions import latest_sessions

_ENDS_SESSIONS = ("cancelled", "discarded")


def create(value: object) -> object:
    """`workflow.create {requestId?, template?, initialMessage?, project?, worktree?}` → it."""
    given = convert(value, structs.CreateWorkflow)
    project = _project(given)
    worktrees = services().launcher.folders.worktrees
    request_id, message = given.request_id, given.initial_message
    if request_id is not None:
        request_id = services().launcher.redact(request_id)
    if message is not None:
        message = services().launcher.redact(message)
    templates = services().settings.templates
    return services().database.write(
        lambda orm: shapes.workflow(
            workflows.create_workflow(
                orm,
                template=given.template or "chat",
                request_id=request_id,
                initial_message=message,
                templates=templates,
                project=project,
                worktree_of=worktrees.folder_of if given.worktree else None,
            )
        )
    )


def _project(given: structs.CreateWorkflow) -> str | None:
    """The name of the project that is asked for. BadRequest for one that cannot be had so."""
    folders = services().launcher.folders
    if given.project is None:
        if given.worktree:
            raise BadRequest("worktree is true, expected a project with it.", field="worktree")
        return None
    project = folders.projects.find(given.project)
    if given.worktree:
        folders.worktrees.check(project)
    return project.name


def get(value: object) -> object:
    """`workflow.get` with a plain id → the workflow."""
    workflow_id = _workflow_id({"workflowId": value})
    with services().database.read() as orm:
        return shapes.workflow(workflows.get_workflow(orm, workflow_id))


def list_page(value: object) -> object:
    """`workflow.list {status?, project?, text?, pinned?, archived?, limit?, cursor?}`.

    → `{workflows, nextCursor}`, newest first; each also with its `latestSession`.
    """
    given = convert(value, structs.WorkflowPage)
    limit = given.limit or 50
    with services().database.read() as orm:
        found = workflows.list_workflows(
            orm,
            workflows.Filter(given.status, given.text, given.pinned, given.archived, given.project),
            limit=limit + 1,
            cursor=given.cursor,
        )
        latest = latest_sessions(orm, [workflow.id for workflow in found[:limit]])
        rows = [
            shapes.workflow(workflow) | {"latestSession": latest.get(workflow.id)}
            for workflow in found[:limit]
        ]
    return {
        "workflows": rows,
        "nextCursor": found[limit - 1].id if len(found) > limit else None,
    }


def invoke_agent(value: object) -> object:
    """`workflow.invokeAgent {workflowId, message?, stageIndex?, agent?, by?, mode?, model?}`.

    → the session: a new one, or the live one that holds the stage's conversation with that
    agent; `offset` is where in its log to begin to watch.
    """
    given = convert(value, structs.InvokeAgent)
    invocation = Invocation(
        workflow_id=given.workflow_id,
        message=given.message,
        stage_index=given.stage_index,
        agent=given.agent,
        by=who(given.by),
        mode=given.mode,
        model=given.model,
    )
    session, offset, message_id = services().invoke(
        invocation, hashed_key(given.idempotency_key, value)
    )
    return {
        "sessionId": session.id,
        "workflowId": session.workflow_id,
        "stageIndex": session.stage_index,
        "status": "running" if session.is_live else session.status,
        "offset": offset,
        "messageId": message_id,
    }


# --- the conversation -----------------------------------------------------------------


def send_message(value: object) -> object:
    """`workflow.sendMessage {workflowId, content, stageIndex?, idempotencyKey?}` → the message.

    It stands in the history, and starts no agent. The same key again adds nothing again.
    """
    given = convert(value, structs.SendMessage)
    content = services().launcher.redact(given.content)
    key = idempotency_key(given.idempotency_key)
    return services().database.write(
        lambda orm: shapes.message(
            progress.say(orm, given.workflow_id, content, given.stage_index, key)
        )
    )


def get_history(value: object) -> object:
    """`workflow.getHistory {workflowId, limit?, cursor?}` → `{messages, nextCursor}`.

    The newest messages, oldest of them first; `nextCursor` leads to those before.
    """
    given = convert(value, structs.History)
    limit = given.limit or 200
    with services().database.read() as orm:
        workflows.get_workflow(orm, given.workflow_id)
        found = messages.messages_before(orm, given.workflow_id, given.cursor, limit)
        has_more = found and messages.has_message_before(orm, given.workflow_id, found[-1].id)
        page = [shapes.message(message) for message in reversed(found)]
    return {"messages": page, "nextCursor": page[0]["id"] if has_more else None}


def on_message(value: object) -> Iterator[Tracked | Ping]:
    """`workflow.onMessage {workflowId, lastEventId?}`: its messages, and those to come.

    From the first one, or after the one that `lastEventId` names.
    """
    given = convert(value, structs.Follow)
    workflow_id, last_id = given.workflow_id, given.last_event_id
    last_text = last_id if isinstance(last_id, str) else str(last_id or "")
    services().admit_stream()
    with services().database.read() as orm:
        workflows.get_workflow(orm, workflow_id)
    followed = services().board.follow(workflow_id, last_text, services().settings.ping_seconds)
    return (
        Ping() if message is None else Tracked(str(message["id"]), message) for message in followed
    )


# --- in the list of a person ------------------------------------------------------------


def rename(value: object) -> object:
    """`workflow.rename {workflowId, title}` → the workflow; an empty title takes its own away."""
    given = convert(value, structs.Rename)
    title = services().launcher.redact(given.title)
    return services().database.write(
        lambda orm: shapes.workflow(workflow_marks.rename(orm, given.workflow_id, title))
    )


def pin(value: object) -> object:
    """`workflow.pin {workflowId, pinned}` → the workflow."""
    given = convert(value, structs.SetPinned)
    return _mark(given.workflow_id, "pinned", given.pinned)


def archive(value: object) -> object:
    """`workflow.archive {workflowId, archived}` → the workflow."""
    given = convert(value, structs.SetArchived)
    return _mark(given.workflow_id, "archived", given.archived)


def delete(value: object) -> object:
    """`workflow.delete {workflowId}` → `{deleted: true}`: its logs and rows are gone for good."""
    workflow_id = _workflow_id(value)
    delete_workflow(services().database, services().launcher.var, workflow_id)
    return {"deleted": True}


def _mark(workflow_id: str, name: workflow_marks.Mark, is_set: bool) -> object:
    return services().database.write(
        lambda orm: shapes.workflow(workflow_marks.mark(orm, workflow_id, name, is_set))
    )


# --- its course -----------------------------------------------------------------------


def advance(value: object) -> object:
    """`workflow.advance {workflowId, stageIndex?}` → the workflow, in its next stage.

    `stageIndex` is the stage to leave: a request that comes twice does not skip one.
    """
    given = convert(value, structs.OneStage)
    return services().database.write(
        lambda orm: shapes.workflow(progress.advance(orm, given.workflow_id, given.stage_index))
    )


def satisfy_gate(value: object) -> object:
    """`workflow.satisfyGate {workflowId, stageIndex?}` → the workflow, its gate open."""
    given = convert(value, structs.OneStage)
    return services().database.write(
        lambda orm: shapes.workflow(
            progress.satisfy_gate(orm, given.workflow_id, given.stage_index)
        )
    )


def update_status(value: object) -> object:
    """`workflow.updateStatus {workflowId, status}` → the workflow."""
    given = convert(value, structs.SetStatus)
    return _set_status(given.workflow_id, given.status)


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


def _workflow_id(value: object) -> str:
    return convert(value, structs.OneWorkflow).workflow_id
