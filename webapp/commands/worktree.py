"""`worktree`: the git worktrees of conversations, and their ends."""

import json

import click

from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line, plain
from webapp.commands.var_folder import VarFolder, open_var_folder, settings_of_a_writer
from webapp.errors import NotFound
from webapp.projects.found import Projects
from webapp.sessions.worktrees import Listed, Worktrees

_MAX_LETTERS = 60
_COLUMNS = (
    Column("branch"),
    Column("project", rank=1),
    Column("changes"),
    Column("conversation", may_be_cut=True),
    Column("workflow", rank=2),
)


@click.group(
    epilog="""\b
Examples:
  agent-stream worktree ls
  agent-stream worktree merge agent/add-a-test-k3v9x0
  agent-stream worktree discard --even-untaken agent/add-a-test-k3v9x0"""
)
def worktree() -> None:
    """List the git worktrees of conversations, and merge, keep or discard one."""


@worktree.command(name="ls")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each, as in the API.")
@var_options
def list_command(as_json: bool) -> None:
    """List the worktrees that are there."""
    with open_var_folder() as var_folder:
        found = _worktrees(var_folder).all()
    if as_json:
        for each in found:
            click.echo(json.dumps(each.as_json()))
    elif found:
        print_table(_COLUMNS, [_row(each) for each in found])
    else:
        click.echo("No worktrees.")


@worktree.command()
@click.argument("name", metavar="BRANCH")
@var_options
def merge(name: str) -> None:
    """Commit what is not committed, merge it into the branch that it began from, remove it.

    BRANCH may also be the id of the conversation's workflow.
    """
    _end(name, "merge")


@worktree.command()
@click.argument("name", metavar="BRANCH")
@var_options
def keep(name: str) -> None:
    """Commit what is not committed and remove the folder; the branch stays."""
    _end(name, "keep")


@worktree.command()
@click.argument("name", metavar="BRANCH")
@click.option("--even-untaken", is_flag=True, help="Even if it has changes that nobody has taken.")
@var_options
def discard(name: str, even_untaken: bool) -> None:
    """Remove folder and branch."""
    _end(name, "discard", even_untaken=even_untaken)


def _end(name: str, how: str, *, even_untaken: bool = False) -> None:
    with open_var_folder() as var_folder:
        worktrees = _worktrees(var_folder)
        workflow = worktrees.end(_find(worktrees, name), how, even_untaken=even_untaken)
    click.echo(plain(f"{workflow.branch}: {workflow.worktree_outcome}"))


def _find(worktrees: Worktrees, name: str) -> str:
    """The id of the workflow whose worktree is called so. NotFound."""
    found = worktrees.all()
    for each in found:
        if name in (each.workflow.branch, each.workflow.id):
            return each.workflow.id
    known = ", ".join(each.workflow.branch for each in found if each.workflow.branch)
    raise NotFound(f"There is no worktree {name!r}. Available: {known or 'none'}.")


def _worktrees(var_folder: VarFolder) -> Worktrees:
    settings = settings_of_a_writer()
    projects = Projects(settings.projects, settings.project_roots)
    return Worktrees(var_folder.database, var_folder.var, projects)


def _row(listed: Listed) -> list[Cell]:
    workflow = listed.workflow
    changes = listed.problem or str(listed.untaken or "none")
    return [
        Cell(workflow.branch or "(not made yet)"),
        Cell(workflow.project or ""),
        Cell(one_line(changes, _MAX_LETTERS)),
        Cell(one_line(workflow.title or "", _MAX_LETTERS)),
        Cell(workflow.id, "dim"),
    ]
