"""A server that runs as a user without rights, as most do, where the tests run as root."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam
from typing import Any

from tests.server import Server, running_server

USER = getpwnam("nobody")
WITHIN = (
    "setpriv",
    f"--reuid={USER.pw_uid}",
    f"--regid={USER.pw_gid}",
    "--clear-groups",
    # The Python that runs the tests may be in the home folder of root.
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)


@contextmanager
def unprivileged_server(agents: dict[str, dict[str, Any]], **environment: Any) -> Iterator[Server]:
    """As `running_server`; its agents cannot read the Python that runs the tests."""
    # Not in pytest's folder: nobody but root may enter that.
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, USER.pw_uid, USER.pw_gid)
        with running_server(Path(folder), agents, within=WITHIN, **environment) as server:
            yield server


def processes_of_user() -> dict[int, str]:
    """Pid and command line of what runs as that user."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and _uid(entry) == USER.pw_uid:
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def _uid(process: Path) -> int:
    (line,) = (
        line for line in (process / "status").read_text().splitlines() if line.startswith("Uid:")
    )
    return int(line.split()[1])
