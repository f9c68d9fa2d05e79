"""`logout-everywhere`: end all logins, whether the server runs or not."""

import click

from webapp.commands.options import var_options
from webapp.settings import settings_of_a_reader
from webapp.store.logins import end_all


@click.command(
    epilog="""\b
Examples:
  agent-stream logout-everywhere
  agent-stream logout-everywhere --var /var/lib/agent-stream"""
)
@var_options
def logout_everywhere() -> None:
    """End the logins of all browsers: each has to show the token again.

    Scripts that send the token go on; another AGENT_STREAM_TOKEN and a restart stop those.
    """
    ended = end_all(settings_of_a_reader().var)
    click.echo(f"{ended} {'login' if ended == 1 else 'logins'} ended")
