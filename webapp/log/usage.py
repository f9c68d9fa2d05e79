"""What a session cost, by the last line in which its agent tells it.

    {"type":"usage","inputTokens":9,"outputTokens":7,"costUsd":0.01,"durationMs":850}
    {"type":"result","duration_ms":…,"total_cost_usd":…,"usage":{"input_tokens":…,…}}   Claude Code
    {"type":"turn.completed","usage":{"input_tokens":…,"output_tokens":…}}              Codex

Claude Code counts what it reads from and writes to its cache apart from `input_tokens`, Codex
does not. For the runner too: nothing heavy is imported.
"""

from collections.abc import Callable, Sequence

UsageRow = dict[str, int | float | None]
"""The columns of `session_usage` but for the session."""

_MOST = 1 << 53
_CLAUDE_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def find_usage(lines: Sequence[bytes], parse_json: Callable[[str], object]) -> UsageRow | None:
    """What the last line that tells usage says; None where none does.

    `parse_json` may raise what a JSON parser raises; it is the caller's, because the runner
    has one that costs less to import.
    """
    for line in reversed(lines):
        if not line.startswith(b"{") or b"usage" not in line:
            continue
        try:
            event = parse_json(line.decode("utf-8", "replace"))
        except (StopIteration, ValueError, RecursionError):
            continue
        row = _read(event) if isinstance(event, dict) else None
        if row is not None and any(value is not None for value in row.values()):
            return row
    return None


def _read(event: dict[str, object]) -> UsageRow | None:
    kind, usage = event.get("type"), event.get("usage")
    if kind == "usage":
        return _row(
            event.get("inputTokens"),
            event.get("outputTokens"),
            event.get("costUsd"),
            event.get("durationMs"),
        )
    counts = usage if isinstance(usage, dict) else {}
    if kind == "result":
        parts = [part for part in map(_whole, map(counts.get, _CLAUDE_INPUT)) if part is not None]
        return _row(
            sum(parts) if parts else None,
            counts.get("output_tokens"),
            event.get("total_cost_usd"),
            event.get("duration_ms"),
        )
    if kind == "turn.completed":
        return _row(counts.get("input_tokens"), counts.get("output_tokens"), None, None)
    return None


def _row(
    input_tokens: object, output_tokens: object, cost_usd: object, duration_ms: object
) -> UsageRow:
    return {
        "input_tokens": _whole(input_tokens),
        "output_tokens": _whole(output_tokens),
        "cost_usd": _amount(cost_usd),
        "duration_ms": _whole(duration_ms),
    }


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _MOST else None


def _amount(value: object) -> float | None:
    """Not NaN, which SQLite would take for NULL, nor infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MOST else None
