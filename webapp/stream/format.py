"""How a viewer wants its events, and the events of the server itself in that format."""

from typing import NamedTuple

from webapp.stream import sse


class Format(NamedTuple):
    """Viewers with the same format get the same bytes."""

    as_envelope: bool = False
    id_prefix: str = ""
    is_raw: bool = False
    """What the agent printed as it printed it, whatever dialect that is."""

    def own(self, name: str, content: dict[str, object]) -> bytes:
        """An event that is not in the log."""
        return sse.encode_own(name, content, as_envelope=self.as_envelope)

    def gap(self, reason: str) -> bytes:
        """What follows is not exactly what comes after the viewer's last event."""
        return self.own("notice", {"type": "gap", "reason": reason})

    def ping(self) -> bytes:
        """A sign of life."""
        return self.own("ping", {"type": "ping"})
