"""The keeper: one background process beside the workers, which fills the search
index, and compresses and deletes old logs.

A process of its own, at the lowest priority: none of what it does holds up a stream or an
agent. A worker starts it and holds the other end of its stdin; at that worker's end it ends
too, and the next worker starts another. Nothing it does is lost by that.
"""

import logging
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from webapp.errors import AgentStreamError
from webapp.keeper import retention
from webapp.keeper.lock import KeeperLock
from webapp.keeper.retention import Limits
from webapp.search.fill import Filler
from webapp.search.index import SearchIndex
from webapp.settings import Settings
from webapp.store.engine import Database, open_migrated

FILL_SECONDS = 1.0
RETENTION_SECONDS = 60.0
_STEP_PAUSE_SECONDS = 0.01
_NICENESS = 19

logger = logging.getLogger(__name__)


class Over(Exception):
    """The worker that started this is gone."""


class Leash:
    """The other end of stdin: when that is closed, it is time to go."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def wait(self, seconds: float) -> None:
        """Wait so long. Over, at once when it is so."""
        if select.select([self._fd], [], [], max(0.0, seconds))[0]:
            raise Over

    def look(self) -> None:
        """Over, if it is so."""
        self.wait(0)


def keep(settings: Settings, leash: Leash) -> None:
    """Work until the leash is over; at once if another keeper has the folder."""
    var = settings.var.resolve()
    lock = KeeperLock(var)
    if not lock.acquire():
        return
    os.nice(_NICENESS)
    database = open_migrated(var)
    try:
        _work(settings, database, var, leash)
    except Over:
        return
    finally:
        database.close()
        lock.release()


def _work(settings: Settings, database: Database, var: Path, leash: Leash) -> None:
    jobs = [_Job(RETENTION_SECONDS, lambda: _retain(settings, database, var, leash))]
    if settings.search:
        index = SearchIndex(var)
        filler = Filler(database, var, index)
        jobs = [_Job(FILL_SECONDS, lambda: _fill(filler)), *jobs]
    while True:
        for job in jobs:
            job.run_if_due(leash)
        leash.wait(min(job.due_at for job in jobs) - time.monotonic())


class _Job:
    """Something to do again and again, in steps."""

    def __init__(self, every_seconds: float, steps: Callable[[], Iterator[object]]) -> None:
        self.due_at = time.monotonic()
        self._every_seconds = every_seconds
        self._steps = steps

    def run_if_due(self, leash: Leash) -> None:
        """All its steps, with a pause after each that did something; an error costs the rest."""
        if time.monotonic() < self.due_at:
            return
        try:
            for work_done in self._steps():
                leash.wait(_STEP_PAUSE_SECONDS if work_done else 0)
        except Over:
            raise
        except AgentStreamError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("the keeper goes on with its next round")
        self.due_at = time.monotonic() + self._every_seconds


def _fill(filler: Filler) -> Iterator[object]:
    """Index the logs, which may take hours, and between them what has come meanwhile."""
    yield from filler.learn()
    learned_at = time.monotonic()
    for step in filler.steps():
        yield step
        if time.monotonic() >= learned_at + FILL_SECONDS:
            yield from filler.learn()
            learned_at = time.monotonic()


def _retain(settings: Settings, database: Database, var: Path, leash: Leash) -> Iterator[object]:
    limits = Limits(
        ended_before=retention.days_ago(settings.delete_after_days)
        if settings.delete_after_days
        else None,
        max_bytes=settings.max_kept_bytes or None,
    )
    if limits != Limits():
        for log in retention.choose(database, limits):
            try:
                retention.delete_log(database, var, log.session_id)
            except OSError:
                logger.exception("cannot delete the log of %s", log.session_id)
            yield log
    if settings.compress_after_days:
        before = retention.days_ago(settings.compress_after_days)
        yield from retention.compress_old(database, var, before, leash.look)
