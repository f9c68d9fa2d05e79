"""The history that an agent repeats when it loads a conversation: the log of the session that it
is from has it already."""

from webapp.runner.talk.lines import read_object

UPDATE = b'"session/update"'
KINDS = (
    *("user_message_chunk", "agent_message_chunk", "agent_thought_chunk"),
    *("tool_call", "tool_call_update", "plan", "usage_update"),
)
_MARKS = tuple(f'"{kind}"'.encode() for kind in KINDS)


class Repeated:
    """Takes it out of what the agent prints, up to the answer to the call that loads."""

    def __init__(self, call_id: int, max_bytes: int) -> None:
        """`max_bytes`: a longer line is judged by its beginning."""
        self._call_id = call_id
        self._max_bytes = max_bytes
        self._pending = b""
        self._leaves_out: bool | None = None
        """What happens to the rest of a long line."""
        self.is_over = False
        self.lines = 0
        """Left out so far."""

    def feed(self, data: bytes) -> bytes:
        """What of this is new."""
        lines = (self._pending + data).split(b"\n")
        self._pending = b""
        kept: list[bytes] = []
        while not self.is_over and len(lines) > 1:
            line = lines.pop(0)
            if not self._is_left_out(line):
                kept.append(line + b"\n")
                self.is_over = self._leaves_out is None and self._is_answer(line)
            self._leaves_out = None
        rest = b"\n".join(lines)
        if self.is_over:
            return b"".join([*kept, rest])
        return b"".join([*kept, self._begin(rest)])

    def finish(self) -> bytes:
        """The agent has ended: what there is of a line that may have been new."""
        rest, self._pending = self._pending, b""
        return rest

    def _begin(self, rest: bytes) -> bytes:
        """Hold the beginning of a line, as long as it may be history."""
        if self._leaves_out is not None:
            return b"" if self._leaves_out else rest
        if len(rest) > self._max_bytes or not rest.lstrip().startswith(b"{"):
            self._leaves_out = self._is_left_out(rest) if rest else None
            return b"" if self._leaves_out else rest
        self._pending = rest
        return b""

    def _is_left_out(self, line: bytes) -> bool:
        if self._leaves_out is not None:
            return self._leaves_out
        is_history = UPDATE in line and any(mark in line for mark in _MARKS)
        self.lines += is_history
        return is_history

    def _is_answer(self, line: bytes) -> bool:
        found = read_object(line) if b'"id":' in line else None
        return found is not None and "method" not in found and found.get("id") == self._call_id
