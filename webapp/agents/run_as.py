"""The user that an agent runs as, where that is another one than the server's."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from webapp.agents.profiles import Profile
from webapp.errors import SetupError

_CAPABILITIES = {"CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SYS_PTRACE": 19}
"""To become that user, to signal its processes, and to recognise them by their environment:
linux/capability.h."""


@dataclass(frozen=True)
class AgentUser:
    """A user as the password and group databases have it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def agent_user(profile: Profile) -> AgentUser | None:
    """The user of a profile, None for the server's own. SetupError: there is none to become."""
    name = profile.run_as
    if name is None:
        return None
    setting = f"agents.{profile.name}.run_as is {name!r}"
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise SetupError(f"{setting}, but this machine has no such user.") from None
    if entry.pw_uid in (0, os.getuid()):
        whose = "root" if entry.pw_uid == 0 else "the server's own user"
        raise SetupError(f"{setting}, which is {whose}; expected a user with fewer rights.")
    missing = _missing_capabilities()
    if missing:
        raise SetupError(
            f"{setting}, but this process may not switch users: it lacks {', '.join(missing)}. "
            "Start the server as root, or with these as ambient capabilities."
        )
    groups = os.getgrouplist(name, entry.pw_gid)
    return AgentUser(name, entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir)


def _missing_capabilities() -> list[str]:
    """What this process lacks, or would not pass on to the runners that it executes."""
    kind = "CapEff:" if os.geteuid() == 0 else "CapAmb:"
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    (bits,) = (int(line.split()[1], 16) for line in lines if line.startswith(kind))
    return [name for name, bit in _CAPABILITIES.items() if not bits >> bit & 1]
