"""The procedures of worktrees. Each end answers with the workflow as it is then."""

from webapp.http.inputs import convert
from webapp.http.services import services
from webapp.http.trpc import structs
from webapp.sessions.worktrees import Worktrees
from webapp.store import shapes


def list_all(value: object) -> object:
    """`worktree.list {}` → `{worktrees: [{workflowId, project, branch, …, untaken}]}`."""
    convert(value, structs.Nothing)
    return {"worktrees": [each.as_json() for each in _worktrees().all()]}


def merge(value: object) -> object:
    """`worktree.merge {workflowId}`: commit what is not, and merge it where it began."""
    given = convert(value, structs.OneWorkflow)
    return shapes.workflow(_worktrees().end(given.workflow_id, "merge"))


def keep(value: object) -> object:
    """`worktree.keep {workflowId}`: commit what is not, remove the folder, keep the branch."""
    given = convert(value, structs.OneWorkflow)
    return shapes.workflow(_worktrees().end(given.workflow_id, "keep"))


def discard(value: object) -> object:
    """`worktree.discard {workflowId, evenUntaken?}`: remove folder and branch.

    409 where that would drop what nobody has taken, unless `evenUntaken` is true.
    """
    given = convert(value, structs.Discard)
    return shapes.workflow(
        _worktrees().end(given.workflow_id, "discard", even_untaken=bool(given.even_untaken))
    )


def _worktrees() -> Worktrees:
    return services().launcher.folders.worktrees
