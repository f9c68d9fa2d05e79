"""A profile's budget of a day: who has used it starts no more turns before the next one."""

from datetime import UTC, datetime, timedelta

from webapp.agents.profiles import Profile
from webapp.errors import TooManyRequests
from webapp.store import costs, notices
from webapp.store.engine import Database


class BudgetReached(TooManyRequests):
    """The agent has cost as much today as it may."""


def check_budget(database: Database, profile: Profile) -> None:
    """BudgetReached where an agent has used its `max_usd_per_day`; the first time with a notice.

    What a turn costs is known at its end, so the last turn of a day may exceed the budget.
    """
    budget = profile.max_usd_per_day
    if budget is None:
        return
    now = datetime.now(UTC)
    day = now.date().isoformat()
    spent = database.read_sql(lambda sql: costs.spent_on(sql, profile.name, day))
    if spent < budget:
        return
    text = f"${spent:.2f} of ${budget:.2f} on {day} (UTC)"
    database.write_sql(lambda sql: notices.add_budget_reached(sql, profile.name, day, text))
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1)
    raise BudgetReached(
        f"Agent {profile.name!r} has cost ${spent:.2f} today, and its max_usd_per_day is "
        f"${budget:.2f}: it starts no more turns before 00:00 UTC.",
        field="agent",
        retry_after=int((midnight - now).total_seconds()) + 1,
    )
