"""What the last session of each of some workflows came to: for a list of them."""

from collections.abc import Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session as OrmSession

_LATEST = text(
    """
SELECT workflow_id, id, agent, status, state, project, coalesce(
    CASE WHEN status IN ('starting', 'running') THEN NULL ELSE ended_at END,
    (SELECT max(ended_at) FROM turns WHERE turns.session_id = sessions.id)
)
FROM sessions WHERE id IN (
    SELECT (SELECT max(id) FROM sessions WHERE workflow_id = workflows.id)
    FROM workflows WHERE id IN :ids
)
"""
).bindparams(bindparam("ids", expanding=True))
_NAMES = ("sessionId", "agent", "status", "state", "project", "restedAt")


def latest_sessions(orm: OrmSession, ids: Sequence[str]) -> dict[str, dict[str, object]]:
    """By workflow: `{sessionId, agent, status, state, project, restedAt}`.

    `restedAt`: when it ended, or the last of its turns; None for one that has not rested yet.
    """
    rows = orm.execute(_LATEST, {"ids": list(ids)}) if ids else ()
    return {workflow_id: dict(zip(_NAMES, row, strict=True)) for workflow_id, *row in rows}
