"""The worktrees of conversations: made when an agent first starts there, and brought to an end.

One lock for all of a server's, so that two messages, or a message and a merge, never work on one
worktree at the same time.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from webapp import flock
from webapp.errors import AgentStreamError, Conflict, NotFound, ServiceUnavailable
from webapp.projects.found import Project, Projects
from webapp.projects.worktrees import (
    Untaken,
    Worktree,
    add,
    branch_name,
    check_repository,
    discard,
    keep,
    merge,
    untaken,
)
from webapp.sessions import cancel, reconcile
from webapp.sessions.layout import make_folder, worktree_folder
from webapp.store import sessions, workflows
from webapp.store.engine import Database
from webapp.store.models import Session, Workflow
from webapp.store.workflows import WorkingPlace

ENDS = ("merge", "keep", "discard")
_OUTCOMES = {"merge": "merged", "keep": "kept", "discard": "discarded"}
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_SHORT_ID_LETTERS = 6


@dataclass(frozen=True)
class Listed:
    """A worktree that is there, and what only it has."""

    workflow: Workflow
    untaken: Untaken | None
    """None where git cannot say."""
    problem: str | None = None

    def as_json(self) -> dict[str, object]:
        """As clients get it."""
        taken = self.untaken
        return {
            "workflowId": self.workflow.id,
            "title": self.workflow.title,
            "project": self.workflow.project,
            "path": self.workflow.worktree,
            "branch": self.workflow.branch,
            "baseBranch": self.workflow.base_branch,
            "changedFiles": None if taken is None else len(taken.files),
            "unmergedCommits": None if taken is None else taken.commits,
            "problem": self.problem,
        }


class Worktrees:
    """Those of one server."""

    def __init__(self, database: Database, var: Path, projects: Projects) -> None:
        self._database = database
        self._var = var
        self._projects = projects

    def check(self, project: Project) -> None:
        """Whether a conversation in a project can have one. BadRequest with the reason."""
        check_repository(project.path)

    def folder_of(self, workflow_id: str) -> Path:
        """Where a workflow's worktree is, or will be."""
        return worktree_folder(self._var, workflow_id)

    def ensure(
        self, workflow_id: str, place: WorkingPlace, project: Project, title: str | None
    ) -> Path:
        """The folder of a workflow's worktree, which is made if it is not there.

        One that was merged, kept or discarded is made anew: from its branch if that was kept.
        """
        folder = self.folder_of(workflow_id)
        if place.branch is not None and place.worktree_outcome is None and folder.is_dir():
            return folder
        with self._lock():
            found = self._place(workflow_id)
            branch = found.branch or branch_name(title or "", workflow_id[-_SHORT_ID_LETTERS:])
            base = found.base_branch if found.worktree_outcome == "kept" else None
            base = base or check_repository(project.path)
            tree = Worktree(project.path, folder, branch, base)
            self._set(workflow_id, branch=branch, base_branch=base, outcome=None)
            if not folder.is_dir():
                add(tree)
        return folder

    def all(self) -> list[Listed]:
        """All that are there, the newest first."""
        with self._database.read() as orm:
            found = workflows.list_with_worktree(orm)
        return [self._listed(workflow) for workflow in found]

    def end(self, workflow_id: str, how: str, *, even_untaken: bool = False) -> Workflow:
        """Merge, keep or discard a worktree; the workflow as it is then.

        NotFound; Conflict, where an agent works there, or with what git says, or because it has
        changes that nobody has taken.
        """
        with self._lock():
            workflow = self._workflow(workflow_id)
            tree = self._tree(workflow)
            self._end_idle_sessions(workflow_id)
            message = (workflow.title or tree.branch).splitlines()[0]
            steps: dict[str, Callable[[], None]] = {
                "merge": lambda: merge(tree, message),
                "keep": lambda: keep(tree, message),
                "discard": lambda: discard(tree, even_untaken=even_untaken),
            }
            steps[how]()
            base = tree.base_branch
            self._set(workflow_id, branch=tree.branch, base_branch=base, outcome=_OUTCOMES[how])
        return self._workflow(workflow_id)

    # --- parts ----------------------------------------------------------------------

    def _listed(self, workflow: Workflow) -> Listed:
        try:
            return Listed(workflow, untaken(self._tree(workflow)))
        except AgentStreamError as error:
            return Listed(workflow, None, error.message)

    def _workflow(self, workflow_id: str) -> Workflow:
        with self._database.read() as orm:
            return workflows.get_workflow(orm, workflow_id)

    def _place(self, workflow_id: str) -> WorkingPlace:
        place = self._database.read_sql(lambda sql: workflows.find_working_place(sql, workflow_id))
        if place is None:
            raise NotFound(f"There is no workflow {workflow_id!r}.", field="workflowId")
        return place

    def _tree(self, workflow: Workflow) -> Worktree:
        """Conflict where a workflow has no worktree, or none any more."""
        if workflow.worktree is None or workflow.project is None:
            raise Conflict(f"Workflow {workflow.id!r} has no worktree.", field="workflowId")
        if workflow.branch is None:
            raise Conflict(
                f"The worktree of workflow {workflow.id!r} is made with its first message.",
                field="workflowId",
            )
        if workflow.worktree_outcome is not None:
            raise Conflict(
                f"The worktree of workflow {workflow.id!r} was {workflow.worktree_outcome}.",
                field="workflowId",
            )
        project = self._projects.find(workflow.project)
        folder = self.folder_of(workflow.id)
        return Worktree(project.path, folder, workflow.branch, workflow.base_branch)

    def _set(
        self, workflow_id: str, *, branch: str, base_branch: str | None, outcome: str | None
    ) -> None:
        self._database.write_sql(
            lambda sql: workflows.set_worktree(sql, workflow_id, branch, base_branch, outcome)
        )

    def _end_idle_sessions(self, workflow_id: str) -> None:
        """End the agents that only wait for a message. Conflict for one that works."""
        with self._database.read() as orm:
            live = sessions.live_sessions(orm, workflow_id)
        live = [reconcile.reconcile(self._database, self._var, session) for session in live]
        live = [session for session in live if session.is_live]
        for session in live:
            if session.state != "idle":
                raise Conflict(
                    f"Session {session.id} works in this worktree. Wait for its end, or stop it.",
                    field="workflowId",
                )
        for session in live:
            cancel.cancel_session(self._database, self._var, session)
        self._wait_for_ends(live)

    def _wait_for_ends(self, ending: list[Session]) -> None:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while ending:
            if time.monotonic() >= give_up_at:
                raise ServiceUnavailable(
                    f"Session {ending[0].id} is ending and has not ended yet.", retry_after=2
                )
            time.sleep(_LOOK_SECONDS)
            with self._database.read() as orm:
                now = [sessions.get_session(orm, session.id) for session in ending]
            ending = [session for session in now if session.is_live]

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Wait for the lock, but let a gevent worker's streams go on meanwhile."""
        folder = self._var / "worktrees"
        make_folder(self._var, folder)
        fd = flock.open_file(folder / "lock")
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        try:
            while not flock.try_acquire(fd):
                if time.monotonic() >= give_up_at:
                    raise ServiceUnavailable("Another worktree is being changed.", retry_after=5)
                time.sleep(_LOOK_SECONDS)
            yield
        finally:
            os.close(fd)  # which releases the lock
