"""How the lines that agents print are read: one file per agent, normalized events for all.

To add a dialect: see webapp/docs/architecture.md. What agents are sent and ask for in a
conversation is in webapp/runner/talk.

A log's first record names its dialect, so that its events stay a pure function of the file,
whatever the settings say later. Imported by the runner: nothing but the standard library.
"""

from collections.abc import Mapping

from webapp.log.dialects.acp import ACP
from webapp.log.dialects.claude import CLAUDE
from webapp.log.dialects.codex import CODEX
from webapp.log.dialects.codex_app import CODEX_APP
from webapp.log.dialects.gemini import GEMINI
from webapp.log.dialects.normalized import Dialect
from webapp.log.dialects.opencode import OPENCODE
from webapp.log.dialects.plain import PIECES, PLAIN

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (CLAUDE, CODEX, CODEX_APP, ACP, GEMINI, OPENCODE)
}
"""By the names that profiles have for them. A log without one is plain."""


def dialect_named(name: str | None, messages: str | None) -> Dialect:
    """The dialect of a log by what its first record says: `dialect`, or `messages`."""
    if name is not None and name in DIALECTS:
        return DIALECTS[name]
    return PIECES if messages == PIECES.name else PLAIN
