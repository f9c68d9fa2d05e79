"""`stats`: figures over all sessions, or over those of the last while."""

import json
from datetime import UTC, datetime

import click

from webapp.commands.figures import STATUS_STYLES, byte_count, dollars, duration
from webapp.commands.ls import end_lost_ones
from webapp.commands.moments import as_since
from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line
from webapp.commands.var_folder import open_var_folder
from webapp.store.models import LIVE, STATUSES
from webapp.store.statistics import Cost, Duration, Group, Statistics, read_statistics

_DEFAULT_LIMIT = 5
_MOST_REASON_LETTERS = 60
_BAR = "#"
_BAR_LETTERS = 30

_AGENTS = (
    Column("agent"),
    Column("sessions", right=True),
    Column("live", right=True, rank=5),
    Column("succeeded", right=True),
    Column("failed", right=True),
    Column("cancelled", right=True, rank=4),
    Column("timed out", right=True, rank=4),
    Column("lost", right=True, rank=4),
    Column("median", right=True, rank=1),
    Column("95 %", right=True, rank=2),
    Column("longest", right=True, rank=3),
    Column("cost", right=True, rank=1),
    Column("logs", right=True, rank=1),
)
_COSTS = (Column("cost of the last days"), Column("", right=True))
_FAILURES = (
    Column("went wrong"),
    Column("agent"),
    Column("status", rank=2),
    Column("reason", may_be_cut=True),
    Column("the last one", rank=1),
)
_HOURS = (
    Column("busiest hours"),
    Column("sessions", right=True),
    Column("failed", right=True),
    Column("", rank=1),
)


@click.command(
    epilog="""\b
Examples:
  agent-stream stats
  agent-stream stats --since 24h
  agent-stream stats --since 2026-11-01 --json | jq .byStatus"""
)
@click.option(
    "--since",
    callback=as_since,
    metavar="TIME",
    help="Only sessions made since: 24h or 7d ago, a day, or a time (UTC). [all]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_DEFAULT_LIMIT,
    help=f"How many hours, days and ways to fail, at most. [{_DEFAULT_LIMIT}]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; times in seconds.")
@var_options
def stats(since: int | None, limit: int, as_json: bool) -> None:
    """Show how sessions ended, their duration and cost, why they failed, and the busiest hours."""
    with open_var_folder() as var_folder:
        end_lost_ones(var_folder)
        with var_folder.database.read() as orm:
            found = read_statistics(orm, since_ms=since or 0, limit=limit)
    if as_json:
        click.echo(json.dumps(_as_json(found, since), indent=2))
    elif not found.groups:
        click.echo("There are no such sessions." if since is not None else "No sessions yet.")
    else:
        _print(found, limit)


def _print(found: Statistics, limit: int) -> None:
    print_table(_AGENTS, _agent_rows(found))
    if found.failures:
        click.echo()
        print_table(_FAILURES, _failure_rows(found))
    if found.costs:
        click.echo()
        print_table(_COSTS, _cost_rows(found, limit))
    click.echo()
    print_table(_HOURS, _hour_rows(found))


def _agent_rows(found: Statistics) -> list[list[Cell]]:
    agents = sorted(
        {group.agent for group in found.groups},
        key=lambda agent: -_count(found.groups, agent),
    )
    spent = _sums(found.costs, "agent")
    rows = [
        _agent_row(agent, found.groups, found.durations.get(agent), spent.get(agent))
        for agent in agents
    ]
    if len(agents) > 1:
        total = [group._replace(agent="all") for group in found.groups]
        rows.append(_agent_row("all", total, None, sum(spent.values()) if spent else None))
    return rows


def _sums(costs: list[Cost], by: str) -> dict[str, float]:
    """The costs by `agent`, `project` or `day`, in the order in which they come."""
    found: dict[str, float] = {}
    for cost in costs:
        name = getattr(cost, by)
        found[name] = found.get(name, 0.0) + cost.usd
    return found


def _cost_rows(found: Statistics, limit: int) -> list[list[Cell]]:
    days = list(_sums(found.costs, "day").items())[:limit]
    projects = sorted(_sums(found.costs, "project").items(), key=lambda each: -each[1])
    named = [(f"project {project}", usd) for project, usd in projects if project]
    return [
        [Cell(one_line(name, _MOST_REASON_LETTERS)), Cell(dollars(usd))]
        for name, usd in (*days, *named)
    ]


def _agent_row(
    agent: str, groups: list[Group], took: Duration | None, usd: float | None
) -> list[Cell]:
    def status(*names: str) -> Cell:
        count = _count(groups, agent, *names)
        return Cell(str(count), STATUS_STYLES[names[0]] if count else "dim")

    log_bytes = sum(group.log_bytes for group in groups if group.agent == agent)
    return [
        Cell(one_line(agent, _MOST_REASON_LETTERS)),
        Cell(str(_count(groups, agent))),
        status("running", "starting"),
        status("succeeded"),
        status("failed"),
        status("cancelled"),
        status("timed_out"),
        status("lost"),
        Cell(duration(took.median) if took else ""),
        Cell(duration(took.p95) if took else ""),
        Cell(duration(took.longest) if took else ""),
        Cell("" if usd is None else dollars(usd)),
        Cell(byte_count(log_bytes)),
    ]


def _count(groups: list[Group], agent: str | None, *statuses: str) -> int:
    """How many sessions; of all agents for None, of any status where none is named."""
    return sum(
        group.sessions
        for group in groups
        if agent in (None, group.agent) and (not statuses or group.status in statuses)
    )


def _failure_rows(found: Statistics) -> list[list[Cell]]:
    return [
        [
            Cell(str(failure.sessions)),
            Cell(one_line(failure.agent, _MOST_REASON_LETTERS)),
            Cell(failure.status, STATUS_STYLES[failure.status]),
            Cell(one_line(failure.reason, _MOST_REASON_LETTERS)),
            Cell(failure.newest, "dim"),
        ]
        for failure in found.failures
    ]


def _hour_rows(found: Statistics) -> list[list[Cell]]:
    most = max(hour.sessions for hour in found.hours)
    return [
        [
            Cell(hour.hour.replace("T", " ")),
            Cell(str(hour.sessions)),
            Cell(str(hour.failed), "red" if hour.failed else "dim"),
            Cell(_BAR * max(1, round(_BAR_LETTERS * hour.sessions / most)), "cyan"),
        ]
        for hour in found.hours
    ]


def _as_json(found: Statistics, since_ms: int | None) -> dict[str, object]:
    since = None if since_ms is None else datetime.fromtimestamp(since_ms / 1000, UTC)
    agents = sorted({group.agent for group in found.groups})
    return {
        "since": None if since is None else since.isoformat(timespec="milliseconds"),
        "sessions": _count(found.groups, None),
        "live": _count(found.groups, None, *LIVE),
        "byStatus": {status: _count(found.groups, None, status) for status in STATUSES},
        "byAgent": {agent: _agent_as_json(found, agent) for agent in agents},
        "costUsd": {
            "total": sum(cost.usd for cost in found.costs),
            "byAgent": _sums(found.costs, "agent"),
            "byProject": _sums(found.costs, "project"),
            "byDay": _sums(found.costs, "day"),
        },
        "failures": [failure._asdict() for failure in found.failures],
        "busiestHours": [hour._asdict() for hour in found.hours],
    }


def _agent_as_json(found: Statistics, agent: str) -> dict[str, object]:
    took = found.durations.get(agent)
    return {
        "sessions": _count(found.groups, agent),
        "byStatus": {status: _count(found.groups, agent, status) for status in STATUSES},
        "logBytes": sum(group.log_bytes for group in found.groups if group.agent == agent),
        "seconds": None if took is None else took._asdict(),
    }
