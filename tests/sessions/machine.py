"""Real sessions without a web server: a store, a launcher, runners and their agents."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.server import wait_for
from tests.store.fresh_var import make_var
from webapp.agents.profiles import Profile
from webapp.log import lock
from webapp.log.events import Event, parse_events
from webapp.log.record import Record, parse_record
from webapp.sessions.launch import Launcher
from webapp.sessions.layout import SessionFiles, session_files
from webapp.sessions.new_session import Invocation
from webapp.sessions.once import IdempotencyKey
from webapp.sessions.reconcile import complete_log
from webapp.settings import Settings
from webapp.store import sessions, workflows
from webapp.store.engine import Database, open_migrated
from webapp.store.models import Session

SLEEP = ("sleep", "600")


def python(code: str) -> tuple[str, ...]:
    """The command for a piece of Python; `os`, `signal`, `sys` and `time` are there."""
    imports = "import os, signal, sys, time\n"
    return (sys.executable, "-u", "-I", "-S", "-c", imports + code)


def shell(script: str) -> tuple[str, ...]:
    """The command for a shell script."""
    return ("/bin/sh", "-c", script)


@dataclass
class Machine:
    """A `var` folder with all that lives in it."""

    settings: Settings
    database: Database
    launcher: Launcher

    @property
    def var(self) -> Path:
        """The folder."""
        return self.launcher.var

    def create_workflow(self) -> str:
        """A new workflow's id."""
        return self.database.write(
            lambda orm: (
                workflows.create_workflow(
                    orm, template="chat", request_id=None, initial_message=None
                ).id
            )
        )

    def invoke(
        self,
        message: str | None = None,
        *,
        agent: str | None = None,
        workflow_id: str | None = None,
        key: IdempotencyKey | None = None,
    ) -> Session:
        """Start a session."""
        workflow_id = workflow_id or self.create_workflow()
        invocation = Invocation(workflow_id, message=message, agent=agent)
        return self.launcher.invoke(invocation, key)

    def run(self, message: str | None = None, *, agent: str | None = None) -> Session:
        """Start a session and wait for its end."""
        return self.wait_until_ended(self.invoke(message, agent=agent))

    def row(self, session: Session) -> Session:
        """The session's row as it is now."""
        return self.find(session.id)

    def find(self, session_id: str) -> Session:
        """A session's row by its id."""
        with self.database.read() as orm:
            return sessions.get_session(orm, session_id)

    def complete_log(self, session: Session) -> None:
        """Give an ended session's log its end back."""
        complete_log(self.database, self.var, session)

    def wait_until_ended(self, session: Session) -> Session:
        """The session's row, once it is not live any more."""
        wait_for(lambda: not self.row(session).is_live)
        return self.row(session)

    def wait_until_gone(self, session: Session) -> Session:
        """The session's row, once its runner has exited too."""
        ended = self.wait_until_ended(session)
        wait_for(lambda: not is_alive(ended.runner_pid))
        return ended

    def wait_until_running(self, session: Session) -> Session:
        """The session's row, once it names the agent and its runner."""
        wait_for(lambda: self.row(session).status != "starting")
        return self.row(session)

    def files(self, session: Session) -> SessionFiles:
        """Where the session lies."""
        return session_files(self.var, session)

    def log(self, session: Session) -> bytes:
        """The session's log."""
        return self.files(session).log.read_bytes()

    def records(self, session: Session) -> list[Record]:
        """The whole records of its log; every one must be one."""
        found = [parse_record(line) for line in self.log(session).split(b"\n")[:-1]]
        assert None not in found
        return [record for record in found if record is not None]

    def events(self, session: Session) -> list[Event]:
        """The events of its log."""
        return list(parse_events(self.log(session), 0, is_continuation=False))

    def output(self, session: Session, stream: bytes = b"stdout") -> bytes:
        """What the agent printed, put together again from the records."""
        return b"".join(
            record.content + (b"" if record.partial else b"\n")
            for record in self.records(session)
            if record.stream == stream
        )

    def wait_for_output(self, session: Session, output: bytes) -> None:
        """Until the agent has printed this."""
        wait_for(lambda: output in self.output(session))

    def is_locked(self, session: Session) -> bool:
        """Whether a runner holds the lock on the log."""
        fd = lock.open_log(self.files(session).log)
        try:
            return lock.is_held(fd)
        finally:
            lock.close_log(fd)

    def has_runner(self, session: Session) -> bool:
        """Whether the session has a log, and somebody holds the lock on it."""
        log = self.files(session).log
        return log.is_file() and not log.is_symlink() and self.is_locked(session)


@contextmanager
def machine(folder: Path, command: tuple[str, ...] = (), **profile: Any) -> Iterator[Machine]:
    """A machine whose agent `agent` runs a command; what it started is gone at the end."""
    grace_seconds = profile.pop("grace_seconds", 10.0)
    agents = profile.pop("agents", None)
    settings = Settings(
        var=make_var(folder),
        default_agent="agent",
        grace_seconds=grace_seconds,
        agents=agents or {"agent": Profile("agent", command or SLEEP, **profile)},
    )
    database = open_migrated(settings.var)
    started = Machine(settings, database, Launcher(settings, database))
    try:
        yield started
    finally:
        clear_away(started)


def processes_of(session_ids: list[str]) -> list[int]:
    """The agents of these sessions and their children, by their environment."""
    wanted = {f"AGENT_STREAM_SESSION_ID={session_id}".encode() for session_id in session_ids}
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and wanted & set(_environment(entry).split(b"\0"))
    ]


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def clear_away(machine: Machine) -> None:
    """Kill whatever was started here and still lives; the runners end with their agents."""
    with machine.database.read() as orm:
        started = list(orm.scalars(select(Session)))

    def is_empty() -> bool:
        found = processes_of([session.id for session in started])
        for pid in found:
            kill(pid)
        return not found and not any(map(machine.has_runner, started))

    wait_for(is_empty)
    machine.launcher.runners.stop()
    machine.database.close()


def kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    """Signal a process that may have ended by itself."""
    assert pid is not None
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def is_alive(pid: int | None) -> bool:
    """Whether a process runs; a zombie does not."""
    assert pid is not None
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def children() -> set[int]:
    """The children of this process, zombies left out."""
    path = Path(f"/proc/{os.getpid()}/task")
    found = " ".join((task / "children").read_text() for task in path.iterdir())
    return {int(pid) for pid in found.split() if is_alive(int(pid))}


def kill_fork_server() -> None:
    """Kill the fork servers of this process."""
    for pid in children():
        if b"webapp/runner/__main__.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
            kill(pid)
