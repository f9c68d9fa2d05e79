"""Sends what concerns a person to the webhooks: each in a thread of its own.

A receiver that is slow, or never answers, holds up its own webhook only. What was not taken is in
the database and tried again, with longer and longer pauses, also by the next keeper.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.errors import ServiceUnavailable, SetupError
from webapp.secret_files import Target, read_target
from webapp.settings import Settings
from webapp.store import deliveries
from webapp.store.deliveries import Due
from webapp.store.engine import Database
from webapp.webhooks.events import Event
from webapp.webhooks.message import compose
from webapp.webhooks.profile import Webhook
from webapp.webhooks.send import NotSent, send

POLL_SECONDS = 0.5
PAUSES_SECONDS = (
    *(5, 10, 20, 40, 60, 120, 300, 900, 1800, 3600),
    *(7200, 14_400, 28_800, 28_800),
)
"""Between attempts; after the last of them, a day later, the notice is a dead letter."""
_JITTER = 0.1

logger = logging.getLogger(__name__)


def start_deliveries(
    settings: Settings, database: Database, environ: Mapping[str, str]
) -> threading.Event:
    """Send to all webhooks from now on; the event ends it."""
    should_stop = threading.Event()
    database.write_sql(lambda connection: deliveries.register(connection, settings.webhooks))
    for webhook in settings.webhooks.values():
        try:
            target = read_target(webhook, environ)
        except SetupError as error:
            logger.error("nothing is sent to webhook %s: %s", webhook.name, error)
            continue
        sender = _Sender(database, webhook, target, settings.public_url, should_stop)
        threading.Thread(target=sender.run, name=f"webhook {webhook.name}", daemon=True).start()
    return should_stop


class _Sender:
    """Sends to one webhook, one request after the other."""

    def __init__(
        self,
        database: Database,
        webhook: Webhook,
        target: Target,
        public_url: str | None,
        should_stop: threading.Event,
    ) -> None:
        self._database = database
        self._webhook = webhook
        self._target = target
        self._public_url = public_url
        self._should_stop = should_stop
        self._kinds = json.dumps(webhook.events)

    def run(self) -> None:
        """Until it is stopped."""
        while not self._should_stop.wait(POLL_SECONDS):
            try:
                self._queue_news()
                while not self._should_stop.is_set() and (due := self._next_due()) is not None:
                    self._attempt(due)
            except ServiceUnavailable:
                continue  # the database is locked or full: the next round finds the same
            except Exception:
                logger.exception("webhook %s goes on with its next round", self._webhook.name)

    def _queue_news(self) -> None:
        name = self._webhook.name
        if self._database.read_sql(lambda connection: deliveries.has_news(connection, name)):
            self._database.write_sql(
                lambda connection: deliveries.queue(connection, name, self._kinds)
            )

    def _next_due(self) -> Due | None:
        name = self._webhook.name
        return self._database.read_sql(lambda connection: deliveries.next_due(connection, name))

    def _attempt(self, due: Due) -> None:
        message = compose(
            Event(*due.event),
            self._webhook.template,
            key=self._target.key,
            now_seconds=int(time.time()),
            public_url=self._public_url,
        )
        name = self._webhook.name
        try:
            send(self._target.url, message, allow_private=self._webhook.allow_private)
        except NotSent as error:
            reason, next_at = str(error), _next_at(due.attempts)
            if next_at is None:
                logger.warning("webhook %s: given up after a day: %s", name, reason)
            self._record(
                lambda connection: deliveries.set_failed(
                    connection, name, due.notice_id, reason, next_at
                )
            )
        else:
            self._record(
                lambda connection: deliveries.set_delivered(connection, name, due.notice_id)
            )

    def _record(self, work: Callable[[Any], None]) -> None:
        """Until it is written: what was sent must not be sent again for a busy database."""
        while not self._should_stop.is_set():
            try:
                self._database.write_sql(work)
                return
            except ServiceUnavailable:
                self._should_stop.wait(POLL_SECONDS)


def _next_at(attempts: int) -> str | None:
    """When to try again after so many attempts before this one; None: never."""
    if attempts >= len(PAUSES_SECONDS):
        return None
    seconds = PAUSES_SECONDS[attempts] * random.uniform(1 - _JITTER, 1 + _JITTER)
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
