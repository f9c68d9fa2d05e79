"""A process that has imported the product once, and forks a process for each run of its command.

The imports of a command take half a second of processor time, those of a server with two workers
two seconds; a fork takes a hundredth of that. What runs is the command's own `main`, in a process
with the given arguments, folder, environment, stdin, stdout and stderr. Where it becomes gunicorn,
gunicorn's own `main` goes on in the same process.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import termios
import threading
import traceback
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

# What the command and the workers import only when they need it. Not `webapp.gunicorn_conf`, which
# reads the settings.
_MODULES = (
    "alembic.command",
    "alembic.context",
    "alembic.ddl.sqlite",
    "alembic.op",
    "gunicorn.app.wsgiapp",
    "rich.markdown",
    "sqlalchemy.dialects.sqlite",
    "tests.servers.streams",
    "webapp.app",
    "webapp.cli",
    "webapp.connections.gevent_worker",
    "webapp.connections.thread_worker",
    "webapp.compat.watchdog",
    "webapp.metrics.memory",
    "webapp.sessions.reconcile",
    "webapp.stream.takeover.paced_server",
    "webapp.stream.takeover.send_file",
    "webapp.stream.takeover.takeover",
)


# --- the side of the tests --------------------------------------------------------------


@cache
def _server() -> socket.socket:
    """It ends with this process, which holds the other end of its socket."""
    here, there = socket.socketpair()
    with there:
        there.set_inheritable(True)
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tests.fork_server", str(there.fileno())],
            os.environ | {"PYTHONPATH": str(ROOT)},
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        )
    return here


class Process:
    """A run of the command; as a `subprocess.Popen`, as far as it goes."""

    def __init__(self, reply: socket.socket) -> None:
        self._reply = reply
        self._received = b""
        self.returncode: int | None = None
        self.pid = self._number(timeout=None)

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        with contextlib.suppress(TimeoutError):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. TimeoutError."""
        if self.returncode is None:
            self.returncode = self._number(timeout)
            self._reply.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _number(self, timeout: float | None) -> int:
        """What a line of the reply says."""
        while b"\n" not in self._received:
            waiting = select.poll()  # `select.select` takes no descriptor above 1023
            waiting.register(self._reply, select.POLLIN)
            if not waiting.poll(None if timeout is None else max(0, timeout * 1000)):
                raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
            piece = self._reply.recv(64)
            assert piece, "the fork server is gone"
            self._received += piece
        line, _newline, self._received = self._received.partition(b"\n")
        return int(line)


def start(
    arguments: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    fds: tuple[int, int, int],
    *,
    module: str = "webapp.cli",
    has_terminal: bool = False,
) -> Process:
    """Start the `main` of a module with these as stdin, stdout and stderr.

    `has_terminal`: stdin is the terminal that controls it, in a session of its own.
    """
    reply, other_end = socket.socketpair()
    with other_end, open(os.memfd_create("request"), "w") as request:
        json.dump([module, arguments, str(folder), environment, has_terminal], request)
        request.flush()
        socket.send_fds(_server(), [b"+"], [other_end.fileno(), request.fileno(), *fds])
    return Process(reply)


# --- its own side -----------------------------------------------------------------------


class _Exec(BaseException):
    """The command goes on as another program."""

    def __init__(self, _path: str, command: list[str]) -> None:
        super().__init__(command)
        self.command = command


def serve(requests: socket.socket) -> None:
    """Fork for each request until nobody can make another."""
    from sqlalchemy.orm import configure_mappers

    from webapp import commands

    for module in pkgutil.walk_packages(commands.__path__, "webapp.commands."):
        importlib.import_module(module.name)
    for name in _MODULES:
        importlib.import_module(name)
    configure_mappers()
    # gevent's patch asks 25 times what is installed, and reads it all each time.
    installed = metadata.entry_points()
    metadata.entry_points = installed.select
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
            name_to_run = _module_to_run(*fds)
            if name_to_run is not None:
                _exit_as(name_to_run)
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _exit_as(module: str) -> NoReturn:
    """Run a module and end as Python would, but for taking all modules apart."""
    vars(os)["execv"] = _raise_exec
    try:
        try:
            importlib.import_module(module).main()
        except _Exec as other:
            _run_module(other.command)
        code: object = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)


def _raise_exec(path: str, command: list[str]) -> NoReturn:
    raise _Exec(path, command)


def _run_module(command: list[str]) -> None:
    """Go on as `python -P -m MODULE ARGUMENTS` would, without its imports."""
    _python, _safe_path, _m, module, *arguments = command
    sys.orig_argv = command
    sys.argv = [module, *arguments]
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _module_to_run(reply_fd: int, request_fd: int, *fds: int) -> str | None:
    """Its name in a new process; None in this one, once that has ended."""
    pid = os.fork()
    if pid:
        with socket.socket(fileno=reply_fd) as reply, contextlib.suppress(BrokenPipeError):
            reply.sendall(b"%d\n" % pid)
            for fd in fds:
                os.close(fd)
            status = os.waitpid(pid, 0)[1]
            reply.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        return None

    os.close(reply_fd)
    with open(request_fd) as request:
        request.seek(0)
        module, arguments, folder, environment, has_terminal = json.load(request)
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    if has_terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    return str(module)


def main() -> NoReturn:
    """Serve at the socket that is inherited."""
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests)
    sys.exit()


if __name__ == "__main__":
    main()
