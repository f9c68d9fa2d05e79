"""The folder that an agent works in.

In this order: what the shell says, the project of its workflow or the worktree of that, its
profile's `cwd`, the home of its user, and else a folder of the conversation's own below var.
No client's text becomes a path: a project is looked up among those of the settings.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from webapp.agents.profiles import Profile
from webapp.agents.run_as import AgentUser
from webapp.errors import BadRequest, Conflict
from webapp.projects.found import Project, Projects
from webapp.sessions.layout import make_folder, work_folder
from webapp.sessions.worktrees import Worktrees
from webapp.store.engine import Database
from webapp.store.workflows import find_working_place


@dataclass(frozen=True)
class Folder:
    """Where a session's agent starts."""

    path: str
    project: str | None = None
    """The name of the project that this is of."""
    is_chosen: bool = True
    """False: a conversation that was begun elsewhere goes on there."""


class Folders:
    """Finds the folders of one server's agents."""

    def __init__(self, database: Database, var: Path, server_folder: str, projects: Projects):
        self._database = database
        self._var = var
        self._server_folder = server_folder
        self.projects = projects
        self.worktrees = Worktrees(database, var, projects)

    def folder_of(
        self,
        workflow_id: str,
        profile: Profile,
        user: AgentUser | None,
        asked: str | None,
        title: str | None = None,
    ) -> Folder:
        """Where an agent of a workflow starts; a folder of its own is made if need be.

        `asked`: where the shell wants it. `title`: what a new branch is named after. Conflict
        for a project that has gone, and what `Worktrees.ensure` raises.
        """
        if asked is not None:
            return Folder(asked)
        place = self._database.read_sql(lambda sql: find_working_place(sql, workflow_id))
        if place is not None and place.project is not None:
            project = self._project(place.project)
            if place.worktree is None:
                return Folder(str(project.path), project.name)
            if user is not None:
                raise Conflict(
                    f"Agent {profile.name!r} runs as {user.name!r}, who cannot enter a worktree "
                    "below the server's var folder.",
                    field="agent",
                )
            tree = self.worktrees.ensure(workflow_id, place, project, title)
            return Folder(str(tree), project.name)
        if profile.cwd is not None:
            return Folder(os.path.join(self._server_folder, profile.cwd), is_chosen=False)
        if user is not None:
            return Folder(user.home, is_chosen=False)  # it may not enter the server's own
        if place is None:
            return Folder(self._server_folder)  # there is no such workflow: nothing will start
        own = work_folder(self._var, workflow_id)
        make_folder(self._var, own)
        return Folder(str(own), is_chosen=False)

    def program_folder(self, profile: Profile, asked: str | None) -> str:
        """What the path of a profile's program is relative to."""
        return os.path.join(asked or self._server_folder, profile.cwd or "")

    def _project(self, name: str) -> Project:
        try:
            return self.projects.find(name)
        except BadRequest:
            raise Conflict(
                f"The project {name!r} of this conversation is not in the settings any more, or "
                "its folder has gone.",
                field="workflowId",
            ) from None
