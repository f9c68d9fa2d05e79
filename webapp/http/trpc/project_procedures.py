"""The procedures of projects."""

from webapp.http import projects
from webapp.http.inputs import convert
from webapp.http.trpc import structs


def list_all(value: object) -> object:
    """`project.list {}` → `{projects: [{name, path, isRepository}]}`, by name."""
    convert(value, structs.Nothing)
    return projects.list_all()
