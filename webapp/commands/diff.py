"""`diff`: what a session has changed in the repository that it works in."""

import sys

import click

from webapp.changes.compare import Change
from webapp.commands.options import session_argument, var_options
from webapp.commands.terminal import has_colour, paint
from webapp.commands.var_folder import open_var_folder
from webapp.sessions.changes import Compared, compare
from webapp.visible import visible

MAX_BYTES = 256 << 20
_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_HEADS = ("diff --git ", "index ", "--- ", "+++ ")


@click.command(
    name="diff",
    epilog="""\b
Examples:
  agent-stream diff last
  agent-stream diff last --turn 2 --stat
  agent-stream diff k3v9x0a1 | git apply""",
)
@session_argument
@click.option("--turn", type=click.IntRange(min=1), help="Only what this turn has changed.")
@click.option("--stat", "is_stat", is_flag=True, help="Only the files, and how many lines.")
@var_options
def diff(session: str, turn: int | None, is_stat: bool) -> None:
    """Show what SESSION has changed since its conversation began, as git shows it.

    Coloured on a terminal; in a pipe exactly what `git apply` reads.
    """
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        compared = compare(var_folder.database, var_folder.var, found, turn)
        if is_stat:
            _print_stat(*compared.changes())
        else:
            _print_patch(compared)


def _print_stat(changes: list[Change], is_cut: bool) -> None:
    colour = has_colour()
    for change in changes:
        old = "" if change.old_path is None else f"{_name(change.old_path)} → "
        click.echo(f"{_counts(change, colour)}  {old}{_name(change.path)}")
    added = sum(change.added or 0 for change in changes)
    removed = sum(change.removed or 0 for change in changes)
    more = " and more" if is_cut else ""
    click.echo(f"{len(changes)} files{more}, +{added} -{removed}")


def _counts(change: Change, colour: bool) -> str:
    if change.kind == "large":
        return f"{'too large':>13}"
    if change.added is None:
        return f"{'binary':>13}"
    added = paint(f"{'+' + str(change.added):>6}", "green", colour=colour)
    return f"{added} {paint(f'-{change.removed}'.rjust(6), 'red', colour=colour)}"


def _name(path: bytes) -> str:
    return visible(path.decode("utf-8", "replace"))


def _print_patch(compared: Compared) -> None:
    options = ("-r", "-p", "-M", "--full-index", "--binary")
    result = compared.store.run(
        "diff-tree", *options, compared.before, compared.after, max_bytes=MAX_BYTES
    )
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(result.output)
        sys.stdout.buffer.flush()
    else:
        colour = has_colour()
        for line in result.output.decode("utf-8", "replace").split("\n")[:-1]:
            style = "bold" if line.startswith(_HEADS) else _STYLES.get(line[:1])
            text = visible(line, keep="\t")
            click.echo(paint(text, style, colour=colour) if style else text)
    if result.is_cut:
        click.echo(f"The rest is left out: the diff is longer than {MAX_BYTES >> 20} MB.", err=True)
