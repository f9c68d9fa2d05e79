"""The agent's process: start it in a group of its own, end it with all that it started."""

import errno
import os
import signal

from webapp.runner.spec import Spec

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
RESET_SIGNALS = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGPIPE,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGXFSZ,  # Python ignores it
)


class StartError(Exception):
    """The agent could not be started; the message is for the person who invoked it."""


def start_agent(spec: Spec, stdin_fd: int, stdout_fd: int, stderr_fd: int) -> int:
    """Start the agent; its pid, which is also its process group. Raises StartError."""
    enter(spec.cwd)
    path = find_command(spec.argv[0])
    try:
        return os.posix_spawn(
            path,
            spec.argv,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, stdin_fd, 0),
                (os.POSIX_SPAWN_DUP2, stdout_fd, 1),
                (os.POSIX_SPAWN_DUP2, stderr_fd, 2),
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=RESET_SIGNALS,
        )
    except OSError as error:
        raise cannot_start(path, error) from None


def enter(cwd: str) -> None:
    """Make it the current folder. Raises StartError."""
    try:
        os.chdir(cwd)
    except OSError as error:
        raise StartError(f"cannot enter cwd {cwd!r}: {error.strerror}") from None


def cannot_start(path: str, error: OSError) -> StartError:
    """Why a program that was found was not started."""
    if error.errno == errno.ENOEXEC:
        reason = "it is no program, and has no #! line"
    else:
        reason = error.strerror or str(error)
    return StartError(f"cannot start {path!r}: {reason}")


def open_message(message: str | None) -> int:
    """A stdin with the message: a file in memory, read whole, then at its end, never on disk."""
    if message is None:
        return os.open(os.devnull, os.O_RDONLY)
    fd = os.memfd_create("message")
    content = message.encode()
    while content:
        content = content[os.write(fd, content) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def find_command(name: str) -> str:
    """The program that a name stands for, by the agent's PATH. Raises StartError."""
    if "/" in name:
        if not os.path.exists(name):
            raise StartError(f"command not found: {name!r} (no such file)")
        return name
    search_path = os.environ.get("PATH", _DEFAULT_PATH)
    for directory in search_path.split(":"):
        path = os.path.join(directory or ".", name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise StartError(f"command not found: {name!r} (looked in PATH={search_path})")


def has_exited(pid: int) -> bool:
    """Whether the agent has ended. It stays a zombie, so that its group's id stays ours."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, pid, options) is not None


def reap(pid: int) -> tuple[int | None, str | None]:
    """Take the ended agent's exit code or the name of the signal that ended it."""
    _pid, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return None, signal_name(os.WTERMSIG(status))
    return os.WEXITSTATUS(status), None


def signal_name(number: int) -> str:
    """`SIGTERM` for 15; the number where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def signal_group(pid: int, number: int) -> None:
    """Signal the agent and all that it started, as far as it stayed in its group.

    Only for an agent that has not been reaped: after that the number may be another's.
    """
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
