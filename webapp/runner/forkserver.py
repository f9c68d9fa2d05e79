"""Makes runners: forks one for each request of the web worker that it belongs to.

Starting Python for every session would cost each of them 20 ms of processor time and
3 MB of memory; a fork of this process costs 1 ms, and shares what it does not change.

A request is a length (4 bytes, big endian), then JSON `{"directory", "environment"}`; with
it come two descriptors, the session's log, open and locked, and its listening control
socket. The answer is `+`. When the worker closes its end, or dies, this process ends; the
runners are no children of it and stay.
"""

import _signal as signal
import fcntl
import os
from _socket import CMSG_SPACE, SOL_SOCKET, socket

from webapp.runner.session import Session
from webapp.runner.spec import parse_json, read_spec

REQUEST_FD = 3
LOG_FD = 3
CONTROL_FD = 4
ANSWER = b"+"
_SCM_RIGHTS = 1
_FD_BYTES = 4
_LENGTH_BYTES = 4


def serve() -> None:
    """Answer requests until the worker is gone."""
    os.chdir("/")
    os.set_inheritable(REQUEST_FD, False)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C is for the web; this goes with it
    worker = socket(fileno=REQUEST_FD)
    worker.setblocking(True)  # gevent made the pair, and leaves all its sockets non-blocking
    while True:
        request = _receive(worker)
        if request is None:
            return
        directory, environment, log_fd, control_fd = request
        first = os.fork()
        if first == 0:
            _detach_and_run(directory, environment, log_fd, control_fd)
        os.close(log_fd)
        os.close(control_fd)
        os.waitpid(first, 0)
        worker.sendall(ANSWER)


def _receive(worker: socket) -> tuple[str, dict[str, str], int, int] | None:
    """One request; None when the worker has closed its end."""
    head, ancillary, _flags, _address = worker.recvmsg(_LENGTH_BYTES, CMSG_SPACE(2 * _FD_BYTES))
    fds: list[int] = []
    for level, kind, data in ancillary:
        if level == SOL_SOCKET and kind == _SCM_RIGHTS:
            fds.extend(memoryview(data).cast("i"))
    if len(head) < _LENGTH_BYTES or len(fds) != 2:
        return None
    text = b""
    length = int.from_bytes(head, "big")
    while len(text) < length:
        data = worker.recv(length - len(text))
        if not data:
            return None
        text += data
    fields = parse_json(text.decode())
    return fields["directory"], fields["environment"], fds[0], fds[1]


def _detach_and_run(
    directory: str, environment: dict[str, str], log_fd: int, control_fd: int
) -> None:
    """Become a runner: a session of its own, a child of init, nothing open but its own."""
    try:
        os.setsid()
        if os.fork():
            return
        os.dup2(_moved_up(log_fd), LOG_FD, inheritable=False)
        os.dup2(_moved_up(control_fd), CONTROL_FD, inheritable=False)
        os.closerange(CONTROL_FD + 1, os.sysconf("SC_OPEN_MAX"))
        _run(directory, environment)
    finally:
        os._exit(0)


def _moved_up(fd: int) -> int:
    """A copy of a descriptor that is in nobody's way: its number is above those in use."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, CONTROL_FD + 1)


def _run(directory: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    _take_name(directory)
    Session(read_spec(directory), LOG_FD, CONTROL_FD).run()
    os.unlink(os.path.join(directory, "control.sock"))


def _take_name(directory: str) -> None:
    """Show up in ps(1) as `run-` and the session's last letters: a name holds 15 bytes."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("run-" + directory[-11:])
