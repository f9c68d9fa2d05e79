"""Makes runners: forks one for each request of the web worker that it belongs to.

Starting Python for every session would cost each of them 20 ms of processor time and
3 MB of memory; a fork of this process costs 1 ms, and shares what it does not change.

A request is a length (4 bytes, big endian), then JSON `{"directory", "spec", "message",
"environment", "secrets"}`; with it comes a descriptor, the session's log, open and locked,
and perhaps a second one, which the agent reads as its stdin.
The answer is `+`. When the worker closes its end, or dies, this process ends; the runners
are no children of it and stay.
"""

import gc
import json
import os
import signal
import socket
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit

from webapp import prctl
from webapp.log.folder import open_file_at, open_folder
from webapp.runner.session import Session
from webapp.runner.spec import Spec

REQUEST_FD = 3
LOG_FD = 3
STDIN_FD = 4
ANSWER = b"+"
_USUAL_OPEN_FILES = 1024
_LENGTH_BYTES = 4


def serve() -> None:
    """Answer requests until the worker is gone."""
    prctl.hide_process()  # and its runners, which know the secrets of their agents
    prctl.keep_capabilities_from_programs()
    os.chdir("/")
    os.set_inheritable(REQUEST_FD, False)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C is for the web; this goes with it
    _lower_file_limit()
    gc.collect()
    gc.freeze()  # a runner's own collections leave all this alone, and so shared
    worker = socket.socket(fileno=REQUEST_FD)
    worker.setblocking(True)  # gevent made the pair, and leaves all its sockets non-blocking
    while True:
        request = _receive(worker)
        if request is None:
            return
        fields, fds = request
        first = os.fork()
        if first == 0:
            _detach_and_run(fields, fds)
        worker.sendall(ANSWER)
        for fd in fds:
            os.close(fd)
        os.waitpid(first, 0)


def _lower_file_limit() -> None:
    """The server raised it for its viewers; an agent that uses select(2) would break on it.

    https://0pointer.net/blog/file-descriptor-limits.html
    """
    soft, hard = getrlimit(RLIMIT_NOFILE)
    if soft > _USUAL_OPEN_FILES or soft == RLIM_INFINITY:
        setrlimit(RLIMIT_NOFILE, (_USUAL_OPEN_FILES, hard))


def _receive(worker: socket.socket) -> tuple[dict[str, object], list[int]] | None:
    """One request; None when the worker has closed its end."""
    head, fds, _flags, _address = socket.recv_fds(worker, _LENGTH_BYTES, maxfds=2)
    if len(head) < _LENGTH_BYTES or len(fds) not in (1, 2):
        return None
    text = b""
    length = int.from_bytes(head, "big")
    while len(text) < length:
        data = worker.recv(length - len(text))
        if not data:
            return None
        text += data
    return json.loads(text), fds


def _detach_and_run(fields: dict[str, object], fds: list[int]) -> None:
    """Become a runner: a session of its own, a child of init, nothing open but its own."""
    try:
        os.setsid()
        if os.fork():
            return
        for target, fd in zip(
            (LOG_FD, STDIN_FD), fds, strict=False
        ):  # each of them is above its target
            os.dup2(fd, target, inheritable=False)
        os.closerange(LOG_FD + len(fds), os.sysconf("SC_OPEN_MAX"))
        _run(**fields, stdin_fd=STDIN_FD if len(fds) > 1 else None)  # type: ignore[arg-type]
    finally:
        os._exit(0)


def _run(
    directory: str,
    spec: str,
    message: str | None,
    environment: dict[str, str],
    secrets: list[str],
    stdin_fd: int | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    _take_name(directory)
    folder_fd = open_folder(directory)
    os.fchdir(folder_fd)
    named = [os.fsencode(secret) for secret in secrets]
    session = Session(Spec(json.loads(spec)), LOG_FD, named)
    try:
        session.start(message, stdin_fd)
        _write_down(folder_fd, session.redact_text(spec))
        os.close(folder_fd)
        session.run()
    finally:
        session.control.close()


def _take_name(directory: str) -> None:
    """Show up in ps(1) as `run-` and the session's last letters: a name holds 15 bytes."""
    # A hidden process may not write /proc/self/comm, which is root's.
    with open("/proc/thread-self/comm", "w", encoding="ascii") as comm:
        comm.write("run-" + directory[-11:])


def _write_down(folder_fd: int, spec: str) -> None:
    """Leave `run.json` for people; the agent does not wait for it, nor fail without it."""
    try:
        fd = open_file_at(folder_fd, "run.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except OSError:
        return
    try:
        os.write(fd, spec.encode("utf-8", "surrogateescape") + b"\n")
    except OSError:
        pass
    finally:
        os.close(fd)
