"""The procedures of approvals: what waits for a person, over all sessions."""

from collections.abc import Iterator

from webapp.http import approvals
from webapp.http.inputs import convert
from webapp.http.services import services
from webapp.http.trpc import structs
from webapp.http.trpc.procedure import Ping, Tracked


def list_open(value: object) -> object:
    """`approval.list {}` → `{approvals: [{sessionId, workflowId, …}]}`."""
    convert(value, structs.Nothing)
    return approvals.list_open()


def on_change(value: object) -> Iterator[Tracked | Ping]:
    """`approval.onChange {}`: the whole list, then the whole list at each change."""
    convert(value, structs.FollowAll)
    services().admit_stream()
    followed = services().approvals_board.follow(services().settings.ping_seconds)
    return (
        Ping() if change is None else Tracked(change.id, {"approvals": change.approvals})
        for change in followed
    )
