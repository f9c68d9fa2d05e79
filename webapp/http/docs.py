"""`/docs`: the documentation of this very version."""

from typing import Annotated

from flask import Blueprint, Response, render_template, request, send_from_directory

from webapp.docs.render import render_topic
from webapp.docs.topics import IMAGES, find_sections, read_topic, read_topics
from webapp.http.inputs import Input, convert_args, max_bytes

blueprint = Blueprint("docs", __name__)


class _DocsArgs(Input):
    q: Annotated[str, max_bytes(500)] | None = None


@blueprint.get("/docs")
def index() -> str:
    """All topics; with `?q=words` the sections that hold them."""
    query = (convert_args(request.args, _DocsArgs).q or "").strip()
    return render_template(
        "docs.html",
        topics=read_topics(),
        topic=None,
        query=query,
        matches=find_sections(query) if query else None,
    )


@blueprint.get("/docs/<name>")
def topic(name: str) -> str:
    """One topic. NotFound."""
    return render_template(
        "docs.html",
        topics=read_topics(),
        topic=read_topic(name),
        html=render_topic(name),
        query="",
        matches=None,
    )


@blueprint.get("/docs/images/<name>")
def image(name: str) -> Response:
    """A picture of a topic. NotFound."""
    return send_from_directory(IMAGES, name)
