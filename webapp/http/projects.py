"""`/api/projects`: the folders that a conversation may be about."""

from flask import Blueprint, Response, jsonify

from webapp.http.services import services
from webapp.http.threads import run_aside

blueprint = Blueprint("projects", __name__, url_prefix="/api/projects")


@blueprint.get("")
def list_projects() -> Response:
    """Those of the settings, and the repositories below their roots."""
    return jsonify(list_all())


def list_all() -> dict[str, object]:
    """`{projects: [{name, path, isRepository}]}`, by name."""
    projects = services().launcher.folders.projects
    return {"projects": run_aside(lambda: [each.as_json() for each in projects.all()])}
