"""`/overview`: what agents did and cost, as charts, and as CSV."""

import csv
import io
from typing import Annotated, Literal

from flask import Blueprint, Response, render_template, request
from msgspec import Meta

from webapp.http import charts
from webapp.http.inputs import Input, convert_args
from webapp.http.services import services
from webapp.store import overview
from webapp.store.overview import Figures, Key

blueprint = Blueprint("overview", __name__)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_COLUMNS = (
    *("day", "agent", "project", "sessions", "succeeded", "failed", "cancelled", "cost_usd"),
    *("input_tokens", "output_tokens", "first_word_seconds", "waited_seconds"),
)


class Query(Input):
    days: Annotated[int, Meta(ge=1, le=366)] = 30
    by: Literal["day", "agent", "project"] = "day"


@blueprint.get("/overview")
def overview_page() -> str:
    """Charts of the last days, by day, agent or project. `?days=30&by=day`"""
    query = convert_args(request.args, Query)
    since = overview.first_day(query.days)
    with services().database.read() as orm:
        found = overview.read_figures(orm, since)
    names = overview.days_since(since) if query.by == "day" else ()
    groups = overview.grouped(found, query.by, names)
    if query.by != "day":
        groups = dict(sorted(groups.items(), key=lambda each: -each[1].sessions))
    whole = overview.total(found)
    return render_template(
        "overview.html",
        query=query,
        is_empty=not found,
        drawn=[
            (chart, charts.draw(chart, groups), chart.shown(chart.total(whole)))
            for chart in charts.CHARTS
        ],
        width=charts.WIDTH,
        height=charts.HEIGHT,
    )


@blueprint.get("/overview.csv")
def overview_csv() -> Response:
    """A line for each day, agent and project. `?days=30`"""
    query = convert_args(request.args, Query)
    with services().database.read() as orm:
        found = overview.read_figures(orm, overview.first_day(query.days))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for key in sorted(found, key=lambda each: (each.day, each.agent, each.project)):
        writer.writerow(_line(key, found[key]))
    headers = {"Content-Disposition": f"attachment; filename=overview-{query.days}-days.csv"}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def _line(key: Key, figures: Figures) -> list[object]:
    word = figures.first_word_seconds
    return [
        key.day,
        _as_text(key.agent),
        _as_text(key.project),
        figures.sessions,
        figures.succeeded,
        figures.failed,
        figures.cancelled,
        round(figures.cost_usd, 6),
        figures.input_tokens,
        figures.output_tokens,
        "" if word is None else round(word, 3),
        round(figures.waited_seconds, 1),
    ]


def _as_text(name: str) -> str:
    """A name that no spreadsheet runs as a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name
