"""The procedures of approvals and notices: what concerns a person, over all sessions."""

from collections.abc import Iterator

from webapp.http import approvals
from webapp.http.inputs import convert
from webapp.http.services import services
from webapp.http.trpc import structs
from webapp.http.trpc.procedure import Ping, Tracked
from webapp.store import notices


def list_open(value: object) -> object:
    """`approval.list {}` → `{approvals: [{sessionId, workflowId, …}], notices: [{key, …}]}`."""
    convert(value, structs.Nothing)
    return approvals.list_open()


def on_change(value: object) -> Iterator[Tracked | Ping]:
    """`approval.onChange {}`: both lists, then both again at each change."""
    convert(value, structs.FollowAll)
    services().admit_stream()
    followed = services().approvals_board.follow(services().settings.ping_seconds)
    return (Ping() if change is None else Tracked(change.id, change.lists) for change in followed)


def mark_heard(value: object) -> object:
    """`notice.markHeard {keys}`: somebody looks as they come, so that no other device calls."""
    keys = convert(value, structs.Heard).keys
    services().database.write(lambda orm: notices.mark_heard(orm, keys))
    return {}


def mark_seen(value: object) -> object:
    """`notice.markSeen {workflowId?}`: somebody has looked; what asks for an answer stays."""
    workflow_id = convert(value, structs.Seen).workflow_id
    services().database.write(lambda orm: notices.mark_seen(orm, workflow_id))
    return {}
