"""The pages."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.http.services import services

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """Speak to an agent, watch its sessions."""
    settings = services().settings
    return render_template(
        "index.html",
        agents=settings.agents,
        default_agent=settings.default_agent,
        templates=settings.templates,
        var=settings.var.absolute(),
        database=services().database.path,
        modules=modules(Path(current_app.static_folder or "")),
        version=installed_version(),
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """For those that ask without looking at the page."""
    return redirect(url_for("static", filename="favicon.svg"))


@cache
def modules(static_folder: Path) -> tuple[str, ...]:
    """The page's modules, so that a browser need not find one by reading another."""
    found = static_folder.glob("js/**/*.js")
    return tuple(sorted(file.relative_to(static_folder).as_posix() for file in found))


def installed_version() -> str:
    """The version of this distribution, as it was installed."""
    try:
        return version("agent-stream")
    except PackageNotFoundError:
        return "unknown"
