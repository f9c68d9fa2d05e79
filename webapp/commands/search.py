"""`search`: what all sessions have printed."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from webapp.commands.moments import as_since
from webapp.commands.options import var_options
from webapp.commands.progress import progress_bar
from webapp.commands.terminal import has_colour, one_line, paint, plain
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.keeper.lock import KeeperLock
from webapp.search.fill import Filler
from webapp.search.find import Found, Group, Search, find
from webapp.search.index import SearchIndex
from webapp.search.query import parse_query
from webapp.search.snippets import Hit
from webapp.sessions.layout import new_session_files
from webapp.store import ended_logs, sessions

_MOST_LETTERS = 400


@click.command(
    name="search",
    epilog="""\b
Words:
  disk full            both words, close to each other in one session
  "no space left"      words in a row (in a shell: '"no space left"')
  work*                words that begin so, with three letters or more
  disk OR memory       one of them
  error NOT timeout    the first without the second
  (disk OR cpu) full   grouped
Case and accents do not count, and src/app.py means its parts in a row.

\b
Examples:
  agent-stream search timeout
  agent-stream search --since 24h --agent claude '"permission denied"'
  agent-stream search --json error | jq -r '.url'
  agent-stream search --rebuild""",
)
@click.argument("words", nargs=-1)
@click.option("--agent", metavar="NAME", help="Only what this agent printed.")
@click.option("--since", "since_ms", callback=as_since, metavar="TIME", help="24h, or a time.")
@click.option("--session", "session_id", metavar="ID", help="Only in this session, all of it.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, help="How many sessions. [10]")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a hit.")
@click.option("--rebuild", is_flag=True, help="Make the index anew, from all logs.")
@var_options
def search_command(
    words: tuple[str, ...],
    agent: str | None,
    since_ms: int | None,
    session_id: str | None,
    limit: int,
    as_json: bool,
    rebuild: bool,
) -> None:
    """Find WORDS in the output of all sessions, newest first.

    A running server keeps the index up to date; without one this command does that first.
    The exit code is 1 where nothing matches.
    """
    if not words and not rebuild:
        raise click.UsageError("give words to look for, or --rebuild.")
    query = parse_query(" ".join(words)) if words else None
    with open_var_folder() as var_folder:
        _bring_up_to_date(var_folder, rebuild=rebuild)
        if query is None:
            return
        if session_id is not None:
            session_id = var_folder.find(session_id).id
        wanted = Search(query, agent, since_ms or 0, session_id, limit)
        count = 0
        for found in _pages(var_folder.var, wanted):
            for group in found.groups:
                count += 1
                _print(var_folder, group, as_json=as_json)
    if not count:
        if not as_json:
            click.echo("Nothing matches.", err=True)
        raise click.exceptions.Exit(1)


def _bring_up_to_date(var_folder: VarFolder, *, rebuild: bool) -> None:
    """Fill the index, unless a server does that."""
    lock = KeeperLock(var_folder.var)
    if not lock.acquire():
        if rebuild:
            index = SearchIndex(var_folder.var)
            index.clear()
            index.close()
            click.echo("The index is empty now; the running server fills it again.")
        return
    index = SearchIndex(var_folder.var)
    try:
        if rebuild:
            index.clear()
        filler = Filler(var_folder.database, var_folder.var, index)
        for _page in filler.learn():
            pass
        with var_folder.database.read() as orm:
            _count, total = ended_logs.totals(orm) if rebuild else (0, None)
        with progress_bar("indexing", total) as advance:
            for step in filler.steps():
                advance(step)
        if rebuild:
            known, to_do = index.counts()
            click.echo(f"{known - to_do} session(s) indexed, {to_do} still run")
    finally:
        index.close()
        lock.release()


def _pages(var: Path, wanted: Search) -> Iterator[Found]:
    """Pages until there are as many sessions as wanted; of a single one, all its hits."""
    left = wanted.limit
    while True:
        found = find(var, wanted, lambda id_: new_session_files(var, id_).log)
        yield found
        if wanted.session_id is None:
            left -= len(found.groups)
        if found.next_before is None or left <= 0:
            return
        wanted = replace(wanted, before=found.next_before)


def _print(var_folder: VarFolder, group: Group, *, as_json: bool) -> None:
    if as_json:
        for hit in group.hits:
            click.echo(json.dumps(_as_json(group, hit)))
        return
    with var_folder.database.read() as orm:
        row = sessions.sessions_by_id(orm, [group.session_id]).get(group.session_id)
    about = "" if row is None else f"  {row.agent}, {row.status}, {row.created_at[:19]}"
    click.echo(paint(group.session_id, "bold", colour=has_colour()) + plain(about))
    for hit in group.hits:
        click.echo(f"  {hit.offset:>10}  {_shown(hit)}")
    if group.has_more:
        click.echo(f"  {'':>10}  … agent-stream search --session {group.session_id}")
    sys.stdout.flush()


def _shown(hit: Hit) -> str:
    return "".join(
        paint(_one_line(part.text), "yellow", colour=has_colour())
        if part.is_match
        else _one_line(part.text)
        for part in hit.snippet
    )


def _one_line(text: str) -> str:
    """Cleaned, with the white space at its ends."""
    inner = one_line(text, _MOST_LETTERS)
    before = " " * (text[:1].isspace())
    after = " " * (text[-1:].isspace() and bool(inner))
    return f"{before}{inner}{after}"


def _as_json(group: Group, hit: Hit) -> dict[str, object]:
    return {
        "sessionId": group.session_id,
        "id": str(hit.end),
        "offset": hit.offset,
        "time": hit.time,
        "stream": hit.stream,
        "snippet": [{"text": part.text, "match": part.is_match} for part in hit.snippet],
        "url": f"/sessions/{group.session_id}?at={hit.end}",
    }
