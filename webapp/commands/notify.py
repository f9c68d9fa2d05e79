"""`notify --test`: try the webhooks."""

import os
import time
from uuid import uuid4

import click

from webapp.commands.options import var_options
from webapp.commands.terminal import has_colour, paint, plain
from webapp.errors import NotFound, SetupError
from webapp.secret_files import read_target
from webapp.settings import Settings, settings_of_a_reader
from webapp.store.models import now
from webapp.webhooks.events import Event
from webapp.webhooks.message import compose
from webapp.webhooks.profile import Webhook
from webapp.webhooks.send import NotSent, send


@click.command(
    epilog="""\b
Examples:
  agent-stream notify --test
  agent-stream notify --test phone"""
)
@click.option("--test", "is_test", is_flag=True, required=True, help="Send a test message now.")
@click.argument("names", nargs=-1, metavar="[WEBHOOK]...")
@var_options
@click.pass_context
def notify(context: click.Context, is_test: bool, names: tuple[str, ...]) -> None:
    """Send a test message to the webhooks of the settings, or to those that are named.

    The exit code is 1 where one does not take it.
    """
    assert is_test
    settings = settings_of_a_reader()
    if not settings.webhooks:
        raise NotFound("The settings have no webhook: add a table such as [webhooks.phone].")
    results = [_try(settings, webhook) for webhook in _chosen(settings, names)]
    if not all(results):
        context.exit(1)


def _chosen(settings: Settings, names: tuple[str, ...]) -> list[Webhook]:
    for name in names:
        if name not in settings.webhooks:
            raise NotFound(f"Unknown webhook {name!r}. Available: {', '.join(settings.webhooks)}.")
    return [settings.webhooks[name] for name in names or settings.webhooks]


def _try(settings: Settings, webhook: Webhook) -> bool:
    """Send it, and say what came of it; whether it was taken."""
    event = Event(
        key=f"test/{uuid4()}",
        kind="test",
        agent="agent-stream",
        session_id=None,
        workflow_id=None,
        turn=None,
        approval_id=None,
        text="If you read this, the webhook works.",
        title=None,
        made_at=now(),
    )
    try:
        target = read_target(webhook, os.environ)
        message = compose(
            event,
            webhook.template,
            key=target.key,
            now_seconds=int(time.time()),
            public_url=settings.public_url,
        )
        send(target.url, message, allow_private=webhook.allow_private)
    except (NotSent, SetupError) as error:
        failed = paint("failed", "red", colour=has_colour())
        click.echo(f"{failed}  {webhook.name}: {plain(str(error))}")
        return False
    click.echo(f"{paint('sent', 'green', colour=has_colour())}  {webhook.name}: {target.server}")
    return True
