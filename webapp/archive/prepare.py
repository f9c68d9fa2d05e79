"""Have the frames of large sessions ready soon after they end, before anybody replays them."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webapp.agents.places import session_files
from webapp.store import kept_logs
from webapp.store.engine import Database
from webapp.store.models import Session
from webapp.stream.kept_folder import KeptFolder, folder_in
from webapp.stream.prepare_frames import prepare_frames

LEAST_LOG_BYTES = 8 << 20
"""A first replay encodes so much in 50 ms, of which a viewer feels nothing."""
LOOK_BACK = timedelta(hours=1)
"""Of a keeper that has just been started."""
LATE = timedelta(minutes=1)
"""A row may be written so long after the end that it tells of. One that comes later yet is
encoded by its first replay, as small ones are."""
_MOST = 1000

logger = logging.getLogger(__name__)


class Preparer:
    """Looks for sessions that have ended since it looked last, each once."""

    def __init__(self, database: Database, var: Path, max_bytes: int) -> None:
        """At most `max_bytes` of kept frames, those that viewers have left included."""
        self._database = database
        self._var = var
        self._folder = KeptFolder(folder_in(var), max_bytes)
        self._ended_after = datetime.now(UTC) - LOOK_BACK
        self._seen: set[str] = set()

    def steps(self) -> Iterator[int]:
        """Prepare what there is to prepare; each step gives the bytes of frames that it made."""
        for session in self._find():
            try:
                log = session_files(self._var, session).log
                yield from prepare_frames(self._folder, session.id, log)
            except FileNotFoundError:
                continue  # it was deleted meanwhile
            except OSError as error:
                logger.warning("cannot prepare the frames of %s: %s", session.id, error)

    def _find(self) -> list[Session]:
        """The newest that fit together, the oldest end first: it is the first to go again."""
        looked_at = datetime.now(UTC)
        since = self._ended_after.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._database.read() as orm:
            found = kept_logs.large_logs(orm, since, LEAST_LOG_BYTES, _MOST)
        new = [session for session in found if session.id not in self._seen]
        self._seen = {session.id for session in found}
        self._ended_after = looked_at - LATE

        chosen: list[Session] = []
        left = self._folder.max_bytes
        for session in new:
            left -= session.log_bytes or 0
            if left < 0:
                break
            chosen.append(session)
        return chosen[::-1]
