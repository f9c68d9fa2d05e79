"""The keeper: one background process beside the workers, which ends sessions that lost
their runner, fills the search index, compresses and deletes old logs, and sends notices to
webhooks.

It is a process of its own, at the lowest priority, so that nothing it does delays a stream or
an agent. A worker starts it and holds the other end of its stdin; when that worker ends, the
keeper ends too, and the next worker starts another. No work is lost by that.
"""

import logging
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from webapp.errors import AgentStreamError
from webapp.keeper import retention
from webapp.keeper.deliver import start_deliveries
from webapp.keeper.lock import KeeperLock
from webapp.keeper.retention import Limits
from webapp.search.fill import Filler
from webapp.search.index import SearchIndex
from webapp.sessions.reconcile import reconcile_all
from webapp.settings import Settings
from webapp.store.engine import Database, open_migrated

FILL_SECONDS = 1.0
LOST_SECONDS = 30.0
"""How long a session that nobody looks at may have lost its runner before it ends."""
RETENTION_SECONDS = 60.0
_STEP_PAUSE_SECONDS = 0.01
_NICENESS = 19

logger = logging.getLogger(__name__)


class ParentGone(Exception):
    """The worker that started this process has ended."""


class ParentWatch:
    """Sees the end of the worker that started this process: it closes its end of a pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def sleep(self, seconds: float) -> None:
        """Sleep that long. Raises ParentGone as soon as the worker ends."""
        if select.select([self._fd], [], [], max(0.0, seconds))[0]:
            raise ParentGone

    def check(self) -> None:
        """Raise ParentGone if the worker has ended."""
        self.sleep(0)


def keep(settings: Settings, parent: ParentWatch) -> None:
    """Work until the parent ends; return at once if another keeper has the folder."""
    var = settings.var.resolve()
    lock = KeeperLock(var)
    if not lock.acquire():
        return
    os.nice(_NICENESS)
    database = open_migrated(var)
    should_stop = start_deliveries(settings, database, os.environ)
    try:
        _work(settings, database, var, parent)
    except ParentGone:
        return
    finally:
        should_stop.set()
        database.close()
        lock.release()


def _work(settings: Settings, database: Database, var: Path, parent: ParentWatch) -> None:
    jobs = [
        _Job(LOST_SECONDS, lambda: iter(reconcile_all(database, var))),
        _Job(RETENTION_SECONDS, lambda: _retain(settings, database, var, parent)),
    ]
    if settings.search:
        index = SearchIndex(var)
        filler = Filler(database, var, index)
        jobs = [_Job(FILL_SECONDS, lambda: _fill(filler)), *jobs]
    while True:
        for job in jobs:
            job.run_if_due(parent)
        parent.sleep(min(job.due_at for job in jobs) - time.monotonic())


class _Job:
    """Work that is done at intervals, in steps."""

    def __init__(self, every_seconds: float, steps: Callable[[], Iterator[object]]) -> None:
        self.due_at = time.monotonic()
        self._every_seconds = every_seconds
        self._steps = steps

    def run_if_due(self, parent: ParentWatch) -> None:
        """Do all its steps, with a pause after each that did something.

        An error is logged and ends this round only.
        """
        if time.monotonic() < self.due_at:
            return
        try:
            for work_done in self._steps():
                parent.sleep(_STEP_PAUSE_SECONDS if work_done else 0)
        except ParentGone:
            raise
        except AgentStreamError as error:
            logger.warning("%s", error)
        except Exception:
            logger.exception("the keeper goes on with its next round")
        self.due_at = time.monotonic() + self._every_seconds


def _fill(filler: Filler) -> Iterator[object]:
    """Index the logs, which may take hours, and every second the sessions that are new."""
    yield from filler.learn()
    learned_at = time.monotonic()
    for step in filler.steps():
        yield step
        if time.monotonic() >= learned_at + FILL_SECONDS:
            yield from filler.learn()
            learned_at = time.monotonic()


def _retain(
    settings: Settings, database: Database, var: Path, parent: ParentWatch
) -> Iterator[object]:
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
        yield from retention.compress_old(database, var, before, parent.check)
