"""How an agent says that the gate of its stage is satisfied."""

import json

MARK = b"atisfied"
"""Stands in every line that may say so, and in hardly any other: one search a chunk."""


def satisfies_gate(line: bytes) -> bool:
    """Whether a line is a JSON object of type `gate_satisfied`, or with `gatesSatisfied`.

    That may be a list of gates, a number, or true; an empty one says nothing.
    """
    if not line.lstrip().startswith(b"{"):
        return False
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and (
        found.get("type") == "gate_satisfied" or bool(found.get("gatesSatisfied"))
    )
