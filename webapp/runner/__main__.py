"""`python -I -S webapp/runner/__main__.py SQLITE_PATH`: the fork server of one web worker.

Started by `webapp/sessions/runners.py` with one end of a socket pair as descriptor 3.
"""

import os
import sys


def main() -> None:
    """Find the package, load what every runner needs, serve until the worker is gone."""
    # -I leaves the folder of this package out of the path; the runner needs nothing else.
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.insert(0, os.path.dirname(package))
    sys.path.append(sys.argv[1])
    from webapp.runner import forkserver

    forkserver.serve()


if __name__ == "__main__":
    main()
