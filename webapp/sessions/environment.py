"""What an agent gets of the server's surroundings: variables, a user, a folder."""

import os
from collections.abc import Mapping

from webapp.agents.profiles import Profile
from webapp.agents.run_as import AgentUser, agent_user
from webapp.errors import ServiceUnavailable, SetupError
from webapp.store.models import Session

BASE_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "TZ")
"""What every agent gets of the server's environment; the rest is named by its profile."""

UNBUFFERED = "PYTHONUNBUFFERED"
"""Set for every agent, so that what a Python program prints is seen at once and not by the
block; a profile that names the variable gets it as the server has it, or not at all."""


def agent_environment(
    profile: Profile,
    session: Session,
    environ: Mapping[str, str],
    user: AgentUser | None = None,
) -> dict[str, str]:
    """All that an agent sees of the environment: an allow-list, and who it is."""
    names = {*BASE_ENVIRONMENT, *profile.env}
    if user is not None and "TMPDIR" not in profile.env:
        names.remove("TMPDIR")  # the server's own may be closed to others
    allowed = {name: environ[name] for name in names if name in environ}
    allowed |= profile.file_env
    if user is not None:
        allowed |= {"HOME": user.home, "USER": user.name}
    if UNBUFFERED not in profile.env:
        allowed[UNBUFFERED] = "1"
    return allowed | {
        "AGENT_STREAM_SESSION_ID": session.id,
        "AGENT_STREAM_WORKFLOW_ID": session.workflow_id,
        "AGENT_STREAM_STAGE_INDEX": str(session.stage_index),
    }


def user_of(profile: Profile) -> AgentUser | None:
    """ServiceUnavailable where this process cannot start the agent as its user."""
    try:
        return agent_user(profile)
    except SetupError as error:
        raise ServiceUnavailable(error.message, retry_after=300) from None


def current_folder() -> str:
    """Where agents run that have no folder of their own. SetupError if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise SetupError(
            "The current folder has been deleted, so no agent can run in it. "
            "Change to a folder that exists."
        ) from None
