"""The pages."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.http.services import asking_client, services
from webapp.store.models import STATUSES

blueprint = Blueprint("pages", __name__)

_IMPORTED = re.compile(r'^(?:import|export|\})[^;"]*?"(\.[^"]+\.js)";?$', re.MULTILINE)


@blueprint.app_context_processor
def of_all_pages() -> dict[str, object]:
    """What the bar of each page needs, and what this browser is called in what it does."""
    return {"page_modules": page_modules, "client": asking_client()}


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
        modules=page_modules("js/main.js"),
        ping_seconds=settings.ping_seconds,
        version=installed_version(),
        has_token=settings.token is not None,
        has_projects=not services().launcher.folders.projects.is_empty,
    )


@blueprint.get("/sessions")
def sessions() -> str:
    """All sessions, to be searched through."""
    modules = page_modules("js/sessions_main.js")
    return render_template("sessions.html", statuses=STATUSES, modules=modules)


@blueprint.get("/sessions/<session_id>")
def session(session_id: str) -> str:
    """One session, to be replayed. NotFound."""
    found = services().look_up(session_id)
    return render_template(
        "session.html",
        session=found,
        var=services().settings.var.absolute(),
        database=services().database.path,
        ping_seconds=services().settings.ping_seconds,
        modules=page_modules("js/session_main.js"),
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """For those that ask without looking at the page."""
    return redirect(url_for("static", filename="favicon.svg"))


def page_modules(entry: str) -> tuple[str, ...]:
    """A page's modules, so that a browser need not find one by reading another."""
    return modules(Path(current_app.static_folder or ""), entry)


@cache
def modules(static_folder: Path, entry: str) -> tuple[str, ...]:
    """All that a module imports, and what those import, without itself."""
    found: set[str] = set()
    unread = [static_folder / entry]
    while unread:
        module = unread.pop()
        name = module.relative_to(static_folder).as_posix()
        if name in found:
            continue
        found.add(name)
        text = module.read_text(encoding="utf-8")
        unread += [(module.parent / path).resolve() for path in _IMPORTED.findall(text)]
    return tuple(sorted(found - {entry}))


def installed_version() -> str:
    """The version of this distribution, as it was installed."""
    try:
        return version("agent-stream-server")
    except PackageNotFoundError:
        return "unknown"
