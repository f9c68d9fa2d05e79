"""`python -m webapp.keeper`: the keeper, as a worker starts it."""

import os

from webapp import prctl

prctl.hide_process()

# First of all: a socket that the server listens on must not stay open in this process.
os.closerange(3, 1024)
for _name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
    if int(_name) >= 1024:
        os.closerange(int(_name), int(_name) + 1)

import logging  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402

from webapp.errors import AgentStreamError  # noqa: E402
from webapp.keeper.process import ParentWatch, keep  # noqa: E402
from webapp.settings import load_settings  # noqa: E402


def main() -> int:
    """Run the keeper; exit code 0, or 1 if it cannot work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end it sees
    logging.basicConfig(level=logging.WARNING, format="agent-stream keeper: %(message)s")
    try:
        keep(load_settings(), ParentWatch(0))
    except AgentStreamError as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
