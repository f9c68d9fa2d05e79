"""The webhooks: can their secrets be read, and what have they not taken?"""

import os
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import exc

from webapp.commands.checks.finding import Finding
from webapp.errors import AgentStreamError, SetupError
from webapp.secret_files import read_target
from webapp.settings import Settings
from webapp.store import deliveries
from webapp.store.engine import FILE_NAME, REVISION, Database
from webapp.store.models import Delivery

_CHECK = "webhooks"


def check_webhooks(settings: Settings) -> Iterator[Finding]:
    """Each webhook of the settings; no request is made."""
    troubled = _troubled(settings)
    for webhook in settings.webhooks.values():
        try:
            server = read_target(webhook, os.environ).server
        except SetupError as error:
            yield Finding(_CHECK, "warn", error.message, "nothing is sent to it before that")
            continue
        dead = [each for each in troubled[webhook.name] if each.next_at is None]
        waiting = [each for each in troubled[webhook.name] if each.next_at is not None]
        if dead:
            message = f"{webhook.name}: {len(dead)} dead letter(s) to {server}: {dead[-1].error}"
            yield Finding(_CHECK, "warn", message, f"`agent-stream notify --test {webhook.name}`")
        if waiting:
            message = (
                f"{webhook.name}: {len(waiting)} notice(s) wait for {server}: {waiting[-1].error}"
            )
            yield Finding(_CHECK, "warn", message, f"the next attempt is at {waiting[0].next_at}")
        if not dead and not waiting:
            yield Finding(_CHECK, "ok", f"{webhook.name}: {server} has taken all notices")


def _troubled(settings: Settings) -> dict[str, list[Delivery]]:
    """What was tried in vain, by webhook; nothing where the database cannot say."""
    found: dict[str, list[Delivery]] = defaultdict(list)
    path = settings.var.resolve() / FILE_NAME
    if not settings.webhooks or not path.exists():
        return found
    database = Database(path)
    try:
        if database.revision() == REVISION:
            with database.read() as orm:
                for delivery in deliveries.unfinished(orm):
                    found[delivery.webhook].append(delivery)
    except (exc.DatabaseError, AgentStreamError):
        return found  # `check_database` says what is wrong with it
    finally:
        database.close()
    return found
