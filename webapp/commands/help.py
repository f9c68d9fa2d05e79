"""`help`: the documentation in the shell."""

import sys

import click

from webapp.docs.topics import TOPICS, read_file, read_topic, read_topics

SQL = "forensics.sql"
"""Not a topic, but what sqlite3 reads by `.read "|agent-stream help forensics.sql"`."""


@click.command(
    name="help",
    epilog="""\b
Examples:
  agent-stream help
  agent-stream help forensics | less""",
)
@click.argument("topic", required=False, type=click.Choice([*TOPICS, SQL]), metavar="[TOPIC]")
def help_command(topic: str | None) -> None:
    """Print a topic of the documentation; without one, the list of topics.

    A running server shows the same at /docs.
    """
    if topic is None:
        width = max(map(len, TOPICS))
        for each in read_topics():
            click.echo(f"{each.name:<{width}}  {each.title}")
        return
    if topic == SQL:
        click.echo(read_file(SQL), nl=False)
        return
    text = read_topic(topic).text
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return

    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
