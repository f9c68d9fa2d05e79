"""The pages."""

from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.http.services import services

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    """Speak to an agent, watch its sessions."""
    settings = services().settings
    return render_template(
        "index.html",
        agents=list(settings.agents),
        default_agent=settings.default_agent,
        version=installed_version(),
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """For those that ask without looking at the page."""
    return redirect(url_for("static", filename="favicon.svg"))


def installed_version() -> str:
    """The version of this distribution, as it was installed."""
    try:
        return version("agent-stream")
    except PackageNotFoundError:
        return "unknown"
