"""`prune`: delete the logs of sessions that ended long ago, or that are too much together."""

import json

import click

from webapp.commands.figures import byte_count
from webapp.commands.moments import read_span
from webapp.commands.options import as_size, var_options
from webapp.commands.progress import progress_bar
from webapp.commands.var_folder import open_var_folder
from webapp.keeper.retention import Limits, choose, days_ago, delete_log
from webapp.sessions.import_folder import remove_abandoned
from webapp.store.ended_logs import EndedLog


def as_span(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """For an option: `30d`, `12h` in seconds."""
    if text is None:
        return None
    seconds = read_span(text)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is no span of time, expected one such as 30d or 12h.")
    return seconds


@click.command(
    epilog="""\b
A running server does the same by itself where AGENT_STREAM_DELETE_AFTER_DAYS or
AGENT_STREAM_MAX_KEPT_BYTES is set.

\b
Examples:
  agent-stream prune --older-than 30d --dry-run
  agent-stream prune --older-than 30d --max-bytes 20G --keep 100
  agent-stream prune --keep 1000"""
)
@click.option("--older-than", callback=as_span, metavar="SPAN", help="Ended so long ago: 30d, 12h.")
@click.option("--max-bytes", callback=as_size, metavar="SIZE", help="The oldest, down to 20G, say.")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Never the newest N; with no other option, all but these.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a log, and one at the end.")
@var_options
def prune(
    older_than: float | None,
    max_bytes: int | None,
    keep: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete logs of ended sessions for good, the oldest first.

    Logs and what was indexed of them go; rows stay, and say when that was.
    Nothing that lives is touched, and whoever is watching an old log sees it to its end. What
    an import left that was killed goes too.
    """
    if older_than is None and max_bytes is None and keep is None:
        raise click.UsageError("give --older-than, --max-bytes or --keep: what is too much?")
    limits = Limits(
        ended_before=None if older_than is None else days_ago(older_than / 86_400),
        max_bytes=max_bytes,
        keep=keep or 0,
        all_but_kept=older_than is None and max_bytes is None,
    )
    with open_var_folder() as var_folder:
        chosen = list(choose(var_folder.database, limits))
        total = sum(log.stored_bytes for log in chosen)
        left_alone = 0
        with progress_bar("pruning", total) as advance:
            for log in chosen:
                if not dry_run and not delete_log(
                    var_folder.database, var_folder.var, log.session_id
                ):
                    left_alone += 1
                    total -= log.stored_bytes
                elif as_json or dry_run:
                    _print(log, as_json=as_json)
                advance(log.stored_bytes)
        if not dry_run:
            remove_abandoned(var_folder.var)
        _sum_up(len(chosen) - left_alone, total, left_alone, dry_run, as_json)


def _print(log: EndedLog, *, as_json: bool) -> None:
    if as_json:
        facts = {"sessionId": log.session_id, "endedAt": log.ended_at, "bytes": log.stored_bytes}
        click.echo(json.dumps(facts))
    else:
        click.echo(f"{log.session_id}  {log.ended_at[:19]}  {byte_count(log.stored_bytes):>8}")


def _sum_up(count: int, size: int, left_alone: int, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"logs": count, "bytes": size, "leftAlone": left_alone}))
        return
    verb = "would be deleted" if dry_run else "deleted"
    click.echo(f"{count} log(s), {byte_count(size)}: {verb}")
    if left_alone:
        click.echo(f"{left_alone} left alone: they are in use, or not where they should be")
