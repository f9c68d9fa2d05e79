"""Sessions start, stream and end, viewers come and go, until it is time to stop."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tests.server import HTTP, Server
from tests.soak import kinds, viewer
from tests.soak.kinds import Kind
from tests.soak.viewer import FROM_START, Mark, Seen, Viewer

MEAN_PAUSE_SECONDS = 1.0
"""Between a session's start and the next."""
MOST_VIEWERS = 5
SESSIONS_OF_WORKFLOW = 50
_ANSWER_SECONDS = 60.0
_MOST_REMEMBERED = 200
T = TypeVar("T")


@dataclass
class Run:
    """One session that was accepted."""

    session_id: str
    kind: Kind
    lines: int
    was_cut_off: bool
    """The answer to its first invoke never came: a worker was killed in the middle of it."""
    ended_at: float | None = None
    """On the monotonic clock."""


class Life:
    """All that goes on with one server."""

    def __init__(self, server: Server, seen: Seen) -> None:
        self.server = server
        self.seen = seen
        self.runs: list[Run] = []
        self.viewers = 0
        """Who watches now."""
        self._workflow_id = ""
        self._replayable: list[tuple[Run, Mark, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def go_on(self, seconds: float) -> None:
        """Start sessions for so long, then wait until all have ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._spawn(self._live())
            await asyncio.sleep(random.expovariate(1 / MEAN_PAUSE_SECONDS))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = task.exception()
        if error is not None:
            self.seen.blame("unanswered", 1, repr(error))

    # --- one session -------------------------------------------------------------------------

    async def _live(self) -> None:
        kind = kinds.choose()
        run = await self._invoke(kind)
        self.runs.append(run)
        habits = random.choices(viewer.HABITS, k=random.randint(0, MOST_VIEWERS))
        watching = [self._watch(run, habit) for habit in [viewer.stay, *habits]]
        if kind.cancel_after_seconds is not None:
            watching.append(self._cancel(run, kind.cancel_after_seconds))
        if self._replayable and random.random() < 0.5:
            watching.append(self._look_again())
        await asyncio.gather(*watching)
        run.ended_at = time.monotonic()
        await self._check_row(run)

    async def _invoke(self, kind: Kind) -> Run:
        """Start a session. Whoever gets no answer asks again, with the same key."""
        if len(self.runs) % SESSIONS_OF_WORKFLOW == 0 or not self._workflow_id:
            self._workflow_id = await patiently(self.server.create_workflow)
        lines = kind.choose_lines()
        asked = {"workflowId": self._workflow_id, "agent": kind.agent, "message": str(lines)}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        attempts = 0

        def invoke() -> str:
            nonlocal attempts
            attempts += 1
            answer = self.server.call("workflow.invokeAgent", asked, **key)
            return str(answer.raise_for_status().json()["result"]["data"]["sessionId"])

        session_id = await patiently(invoke)
        return Run(session_id, kind, lines, was_cut_off=attempts > 1)

    async def _cancel(self, run: Run, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        url = f"{self.server.url}/api/sessions/{run.session_id}/cancel"
        await patiently(lambda: HTTP.post(url, json={}))

    # --- its viewers -------------------------------------------------------------------------

    async def _watch(self, run: Run, habit: Any) -> None:
        watching = Viewer(self.server.port, run.session_id, self.seen)
        await self._count(habit(watching))
        if watching.end is None:
            return
        self.seen.counts["saw it all"] += 1
        self._check_end(run, watching)
        if habit is viewer.stay and len(self._replayable) < _MOST_REMEMBERED:
            self._replayable.append((run, watching.mark, watching.last_id))

    async def _look_again(self) -> None:
        """See a session that ended before: all of it, or what came after some event."""
        run, mark, last_id = random.choice(self._replayable)
        again = Viewer(
            self.server.port, run.session_id, self.seen, random.choice([mark, FROM_START])
        )
        await self._count(again.follow())
        self.seen.counts["replays"] += 1
        self._check_end(run, again)
        if again.last_id != last_id:
            example = f"{run.session_id} ended at {last_id}, and now at {again.last_id}"
            self.seen.blame("wrong ends", 1, example)

    async def _count(self, watching: Any) -> None:
        self.viewers += 1
        try:
            await watching
        finally:
            self.viewers -= 1

    def _check_end(self, run: Run, watching: Viewer) -> None:
        """The end that the agent made, after all that it printed."""
        end = watching.end
        assert end is not None
        if is_stillborn(run, str(end["status"])):
            self.seen.counts["stillborn"] += 1
            return
        lines = self._lines_in_log(run) if run.kind.status == "cancelled" else run.lines
        if watching.newest != lines:
            example = f"{run.session_id}: done after {watching.newest} of {lines}"
            self.seen.blame("missing", lines - watching.newest, example)
        if (end["status"], end["exitCode"]) != (run.kind.status, run.kind.exit_code):
            self.seen.blame("wrong ends", 1, f"{run.session_id} ({run.kind.agent}): {end}")

    def _lines_in_log(self, run: Run) -> int:
        (log,) = self.server.var.glob(f"sessions/*/{run.session_id}/output.log")
        return log.read_bytes().count(b' stdout F {"type":"line"')

    async def _check_row(self, run: Run) -> None:
        """What the row says, after the viewers know it already."""
        give_up_at = time.monotonic() + _ANSWER_SECONDS
        while True:
            row = await patiently(lambda: self.server.session(run.session_id))
            if row["status"] not in ("starting", "running"):
                break
            if time.monotonic() > give_up_at:
                self.seen.blame("wrong ends", 1, f"{run.session_id}: its row says {row}")
                return
            await asyncio.sleep(0.1)
        told = row["status"], row["exitCode"]
        if not is_stillborn(run, row["status"]) and told != (run.kind.status, run.kind.exit_code):
            self.seen.blame("wrong ends", 1, f"{run.session_id}: its row says {told}")


def is_stillborn(run: Run, status: str) -> bool:
    """Whether a worker was killed after it had the row and before it had the runner.

    Nobody was told that this session runs, and asking again tells that it is lost.
    """
    return status == "lost" and run.was_cut_off


async def patiently(ask: Callable[[], T]) -> T:
    """The answer to a request that may be sent again; it is, if a worker is killed over it."""
    give_up_at = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return await asyncio.to_thread(ask)
        except httpx.TransportError:
            if time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(0.2)
