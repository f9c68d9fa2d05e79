"""A process that has imported the command once, and forks a process for each run of it.

The imports of a command take half a second of processor time, a fork a hundredth of that. What
runs is the command's own `main`, in a process with the given arguments, folder, environment,
stdin, stdout and stderr.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent


# --- the side of the tests --------------------------------------------------------------


@cache
def _server() -> socket.socket:
    """It ends with this process, which holds the other end of its socket."""
    here, there = socket.socketpair()
    with there:
        there.set_inheritable(True)
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tests.cli.fork_server", str(there.fileno())],
            os.environ | {"PYTHONPATH": str(ROOT)},
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        )
    return here


class Process:
    """A run of the command."""

    def __init__(self, reply: socket.socket) -> None:
        self._reply = reply
        self._lines = reply.makefile()
        self._pid = int(self._lines.readline())
        self._exit_code: int | None = None

    def wait(self, give_up_at: float) -> int:
        """Its exit code. TimeoutError."""
        self._reply.settimeout(max(0.1, give_up_at - time.monotonic()))
        self._exit_code = int(self._lines.readline())
        return self._exit_code

    def close(self) -> None:
        """Kill it if it still runs."""
        if self._exit_code is None:
            os.kill(self._pid, signal.SIGKILL)
        self._lines.close()
        self._reply.close()


def start(
    arguments: list[str], folder: Path, environment: dict[str, str], fds: tuple[int, ...]
) -> Process:
    """Start the command with these as stdin, stdout and stderr."""
    reply, other_end = socket.socketpair()
    with other_end, open(os.memfd_create("request"), "w") as request:
        json.dump([arguments, str(folder), environment], request)
        request.flush()
        socket.send_fds(_server(), [b"+"], [other_end.fileno(), request.fileno(), *fds])
    return Process(reply)


# --- its own side -----------------------------------------------------------------------


def serve(requests: socket.socket) -> None:
    """Fork for each request until nobody can make another."""
    from webapp import cli, commands

    for module in pkgutil.walk_packages(commands.__path__, "webapp.commands."):
        importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # what each run would take apart at its end
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    while True:
        data, fds, _flags, _address = socket.recv_fds(requests, 1, 5)
        if not data:
            return
        if os.fork() == 0:
            requests.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if _is_command(*fds):
                cli.main()
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _is_command(reply_fd: int, request_fd: int, *fds: int) -> bool:
    """True in a new process; in this one, once that has ended."""
    pid = os.fork()
    if pid:
        with socket.socket(fileno=reply_fd) as reply, contextlib.suppress(BrokenPipeError):
            reply.sendall(b"%d\n" % pid)
            for fd in fds:
                os.close(fd)
            status = os.waitpid(pid, 0)[1]
            reply.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        return False

    os.close(reply_fd)
    with open(request_fd) as request:
        request.seek(0)
        arguments, folder, environment = json.load(request)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    return True


def main() -> NoReturn:
    """Serve at the socket that is inherited."""
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests)
    sys.exit()


if __name__ == "__main__":
    main()
