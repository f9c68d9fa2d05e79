"""Run git on a repository that is not trusted.

An agent may write into `.git` what it likes, and we run as another user at times, or with another
environment. So no hook runs, no command that the repository's configuration names, no pager, no
editor and no transport, and what git prints is bounded in size and in time.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from webapp.errors import AgentStreamError, ServiceUnavailable

SECONDS = 10.0
MAX_BYTES = 8 << 20
_MAX_ERROR_BYTES = 4000

_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ASKPASS": "",
    "GIT_EDITOR": "false",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
    "GIT_SEQUENCE_EDITOR": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
}
_PASSED_ON = ("HOME", "PATH", "TMPDIR", "USER", "XDG_CONFIG_HOME")
_OPTIONS = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.alternateRefsCommand="),
    *("-c", "commit.gpgSign=false"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "protocol.allow=never"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "submodule.recurse=false"),
    "--no-pager",
    "--literal-pathspecs",
)
_DIFFS = frozenset({"diff", "diff-files", "diff-index", "diff-tree", "log", "show"})
_COMMANDS = re.compile(
    r"filter\..*\.(clean|smudge|process|required)|diff\..*\.(textconv|command)|merge\..*\.driver",
    re.DOTALL,
)
"""Settings that make git run a command: https://git-scm.com/docs/gitattributes"""


class GitError(AgentStreamError):
    """Git could not do it; the message is what it says."""

    status, code = 409, "CONFLICT"


@dataclass(frozen=True)
class Result:
    """What a git command did."""

    code: int
    output: bytes
    error: str
    is_cut: bool = False
    """It printed more than was asked for."""

    @property
    def text(self) -> str:
        """What it printed, without the newline at its end."""
        return self.output.decode("utf-8", "surrogateescape").rstrip("\n")


def git(
    *arguments: str,
    cwd: Path,
    timeout: float = SECONDS,
    max_bytes: int = MAX_BYTES,
    env: Mapping[str, str] | None = None,
    codes: tuple[int, ...] = (0,),
    stdin: bytes = b"",
) -> Result:
    """Run a git command in a repository and return what it printed.

    `max_bytes`: beyond them the command is ended, and the result is cut. `env` is added to its
    environment, such as GIT_INDEX_FILE. GitError for an exit code that is not in `codes`, and
    ServiceUnavailable where git is missing or takes longer than `timeout` seconds.
    """
    command = ["git", *_OPTIONS, arguments[0]]
    if arguments[0] in _DIFFS:
        command += ["--no-ext-diff", "--no-textconv"]
    environment = _overrides(cwd) | dict(env or {})
    result = _run([*command, *arguments[1:]], cwd, timeout, max_bytes, environment, stdin)
    if result.code not in codes and not result.is_cut:
        raise GitError(result.error or f"git {arguments[0]} ended with exit code {result.code}.")
    return result


def _overrides(cwd: Path) -> dict[str, str]:
    """Variables that turn off each command which the repository's own configuration names.

    Those of the user and of the system stay, such as the filter of git-lfs.
    https://git-scm.com/docs/git-config#ENVIRONMENT
    """
    listed = _run(
        ["git", "config", "--list", "--show-scope", "--null"], cwd, SECONDS, MAX_BYTES, {}, b""
    )
    fields = listed.output.decode("utf-8", "surrogateescape").split("\0")
    trusted: dict[str, str] = {}
    foreign = set()
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        name, _newline, value = setting.partition("\n")
        if not _COMMANDS.fullmatch(name):
            continue
        if scope in ("system", "global"):
            trusted[name] = value
        else:
            foreign.add(name)
    variables = {"GIT_CONFIG_COUNT": str(len(foreign))}
    for number, name in enumerate(sorted(foreign)):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = trusted.get(name, _harmless(name))
    return variables


def _harmless(name: str) -> str:
    """A value with which nothing runs; a merge driver must fail, or it would drop a side."""
    if name.endswith(".required"):
        return "false"
    return "false" if name.endswith(".driver") else ""


def _run(
    command: list[str],
    cwd: Path,
    timeout: float,
    max_bytes: int,
    env: Mapping[str, str],
    stdin: bytes,
) -> Result:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment | _ENVIRONMENT | dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        if not cwd.is_dir():
            raise GitError(f"The folder is not there: {cwd}.") from None
        raise ServiceUnavailable("git is not installed.", retry_after=300) from None
    except OSError as error:
        raise ServiceUnavailable(f"Cannot run git: {error.strerror}.", retry_after=30) from None
    return _read(process, command, timeout, max_bytes, stdin)


def _read(
    process: subprocess.Popen[bytes],
    command: list[str],
    timeout: float,
    max_bytes: int,
    stdin: bytes,
) -> Result:
    """All that it prints, until it ends, has printed enough, or its time is over."""
    late = threading.Event()
    errors: list[bytes] = []

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout, end)
    others = [
        threading.Thread(target=_drain, args=(process.stderr, errors), daemon=True),
        threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True),
    ]
    timer.start()
    for each in others:
        each.start()
    try:
        output = _read_all(process.stdout, max_bytes + 1)
        is_cut = len(output) > max_bytes
        if is_cut:
            _kill(process)
        code = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        for each in others:
            each.join()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if late.is_set():
        raise ServiceUnavailable(
            f"git {_name(command)} took longer than {timeout:g} s.", retry_after=5
        )
    error = b"".join(errors).decode("utf-8", "replace").strip()
    return Result(code, output[:max_bytes], error, is_cut)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started, unless it has ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _read_all(pipe: IO[bytes] | None, max_bytes: int) -> bytes:
    assert pipe is not None
    chunks, size = [], 0
    while size < max_bytes and (chunk := pipe.read(min(1 << 16, max_bytes - size))):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _drain(pipe: IO[bytes] | None, errors: list[bytes]) -> None:
    """Keep the beginning of what it says of errors, and take the rest."""
    assert pipe is not None
    size = 0
    while chunk := pipe.read(1 << 12):
        if size < _MAX_ERROR_BYTES:
            errors.append(chunk[: _MAX_ERROR_BYTES - size])
            size += len(chunk)


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    try:
        pipe.write(data)
        pipe.close()
    except OSError:
        pass  # it does not read, or has ended


def _name(command: list[str]) -> str:
    """Which command of git's it is, past the options."""
    words = iter(command[1:])
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""
