"""Start the agent as another user, which posix_spawn(3) cannot: see webapp/agents/run_as.py."""

import os
import signal

from webapp.runner.agent import RESET_SIGNALS, StartError, cannot_start, enter, find_command
from webapp.runner.spec import Spec


def start_agent_as(
    user: dict[str, object], spec: Spec, stdin_fd: int, stdout_fd: int, stderr_fd: int
) -> int:
    """As `start_agent`, with uid, gid and groups of a user; all else is as that user may."""
    # Pipes of our own; opened anew, as /dev/stdout, they would else be closed to that user.
    for fd in (stdout_fd, stderr_fd, *([stdin_fd] if spec.takesInput else [])):
        try:
            os.fchown(fd, user["uid"], user["gid"])  # type: ignore[arg-type]
        except OSError:
            pass  # without CAP_CHOWN
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become_agent(user, spec, (stdin_fd, stdout_fd, stderr_fd))
        except BaseException as error:
            os.write(write_fd, (str(error) or type(error).__name__).encode("utf-8", "replace"))
        finally:
            os._exit(127)
    os.close(write_fd)
    with open(read_fd, "rb") as errors:
        reason = errors.read().decode("utf-8", "replace")  # empty once the agent runs
    if reason:
        os.waitpid(pid, 0)
        raise StartError(f"{reason} (as user {user['name']!r})")
    return pid


def _become_agent(user: dict[str, object], spec: Spec, fds: tuple[int, int, int]) -> None:
    signal.set_wakeup_fd(-1)
    os.setpgid(0, 0)
    try:
        os.setgroups(user["groups"])  # type: ignore[arg-type]
        gid, uid = user["gid"], user["uid"]
        os.setresgid(gid, gid, gid)  # type: ignore[arg-type]
        os.setresuid(uid, uid, uid)  # type: ignore[arg-type]
    except OSError as error:
        raise StartError(f"cannot switch users: {error.strerror}") from None

    enter(spec.cwd)
    path = find_command(spec.argv[0])
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    for number in RESET_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execve(path, spec.argv, os.environ)
    except OSError as error:
        raise cannot_start(path, error) from None
