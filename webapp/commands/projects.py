"""`projects`: the folders that a conversation may be about."""

import json
import os

import click

from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.errors import BadRequest
from webapp.projects.found import Project, Projects
from webapp.settings import settings_of_a_reader

_COLUMNS = (Column("project"), Column("git"), Column("folder", may_be_cut=True))


@click.command(
    name="projects",
    epilog="""\b
Examples:
  agent-stream projects
  agent-stream run --project shop --agent claude --message "Add a test for the cart\"""",
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each, as in the API.")
@var_options
def projects_command(as_json: bool) -> None:
    """List the projects: those of the settings, and the repositories below their roots."""
    settings = settings_of_a_reader()
    found = Projects(settings.projects, settings.project_roots).all()
    if as_json:
        for project in found:
            click.echo(json.dumps(project.as_json()))
    elif found:
        rows = [
            [
                Cell(project.name),
                Cell("yes" if project.is_repository else "no"),
                Cell(str(project.path)),
            ]
            for project in found
        ]
        print_table(_COLUMNS, rows)
    else:
        click.echo("No projects. [projects.NAME] and project_roots in agent-stream.toml name them.")


def find_project(projects: Projects, asked: str) -> Project:
    """A project, which a shell may also name by a relative path. BadRequest."""
    try:
        return projects.find(asked)
    except BadRequest:
        if not os.path.isdir(asked):
            raise
        return projects.find(os.path.abspath(asked))
