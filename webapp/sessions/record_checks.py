"""What the runner's own records `session` and `done` may hold, field by field.

A log may come from elsewhere or from an editor, so nothing in it is believed unchecked: an
import refuses a log with a damaged field, and what makes rows from logs leaves the field out.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from webapp.projects.worktrees import BRANCH
from webapp.store.ids import SESSION_ID, WORKFLOW_ID
from webapp.store.models import ENDED
from webapp.store.templates import GATES, MAX_STAGES
from webapp.store.values import MAX_NAME_LETTERS, MAX_WHOLE, is_name, is_text, is_time, is_whole
from webapp.visible import shortened

MAX_TEXT_BYTES = 1 << 20
MAX_ARGUMENTS = 10_000
MAX_REQUEST_ID_BYTES = 4096
MAX_PID = 1 << 22
"""https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html (pid_max)"""
_MAX_EXIT_CODE = (1 << 31) - 1


class Field(NamedTuple):
    """A field of a record."""

    is_sound: Callable[[object], bool]
    expected: str
    is_required: bool = False


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_pid(value: object) -> bool:
    return is_whole(value, 1, MAX_PID)


def _is_long_text(value: object) -> bool:
    return is_text(value, MAX_TEXT_BYTES)


def _is_command(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) <= MAX_ARGUMENTS and all(map(_is_long_text, value))
    )


def is_stage(value: object) -> bool:
    """A stage of a workflow as a session's record describes it."""
    if not isinstance(value, dict) or not isinstance(value.get("gate"), dict):
        return False
    return is_name(value.get("name")) and is_name(value.get("type")) and _has_gate(value["gate"])


def _has_gate(gate: Mapping[str, object]) -> bool:
    return gate.get("type") in GATES


def _are_stages(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_STAGES and all(map(is_stage, value))


_NAME = f"a text of 1 to {MAX_NAME_LETTERS} visible characters"
_TIME = "a time such as 2026-11-23T21:04:00.123Z"
_PID = f"a number from 1 to {MAX_PID}"
_TEXT = f"a text of at most {MAX_TEXT_BYTES} bytes"

WORKFLOW = {
    "template": Field(is_name, _NAME),
    "requestId": Field(
        lambda value: is_text(value, MAX_REQUEST_ID_BYTES),
        f"a text of at most {MAX_REQUEST_ID_BYTES} bytes",
    ),
    "createdAt": Field(is_time, _TIME),
    "project": Field(
        lambda value: is_text(value, MAX_REQUEST_ID_BYTES),
        f"a text of at most {MAX_REQUEST_ID_BYTES} bytes",
    ),
    "branch": Field(_matches(BRANCH), "a branch such as agent/add-a-test-k3v9x0"),
    "baseBranch": Field(
        lambda value: is_text(value, MAX_REQUEST_ID_BYTES),
        f"a text of at most {MAX_REQUEST_ID_BYTES} bytes",
    ),
    "stages": Field(
        _are_stages,
        f"at most {MAX_STAGES} stages, each with name, type and gate ({', '.join(GATES)})",
    ),
}
SESSION = {
    "sessionId": Field(_matches(SESSION_ID), "a session's id", is_required=True),
    "workflowId": Field(_matches(WORKFLOW_ID), "a workflow's id", is_required=True),
    "stageIndex": Field(
        lambda value: is_whole(value, 0, MAX_STAGES - 1),
        f"a number from 0 to {MAX_STAGES - 1}",
        is_required=True,
    ),
    "agent": Field(is_name, _NAME, is_required=True),
    "argv": Field(_is_command, "a list of texts", is_required=True),
    "host": Field(is_name, _NAME, is_required=True),
    "dialect": Field(is_name, _NAME),
    "pid": Field(_is_pid, _PID),
    "runnerPid": Field(_is_pid, _PID),
    "startedAt": Field(is_time, _TIME),
    "createdAt": Field(is_time, _TIME),
    "cwd": Field(_is_long_text, _TEXT),
    "takesInput": Field(_is_flag, "true or false"),
    "talk": Field(is_name, _NAME),
    "resumedFrom": Field(_matches(SESSION_ID), "a session's id"),
    "workflow": Field(lambda value: isinstance(value, dict), "an object"),
}
DONE = {
    "status": Field(lambda value: value in ENDED, f"one of {', '.join(ENDED)}", is_required=True),
    "exitCode": Field(
        lambda value: is_whole(value, -_MAX_EXIT_CODE, _MAX_EXIT_CODE),
        "a number of at most 32 bits",
    ),
    "signal": Field(is_name, _NAME),
    "error": Field(_is_long_text, _TEXT),
    "droppedBytes": Field(
        lambda value: is_whole(value, 0, MAX_WHOLE), f"a number from 0 to {MAX_WHOLE}"
    ),
}
MESSAGE = {
    "role": Field(
        lambda value: value in ("user", "agent", "system"), "user, agent or system", True
    ),
    "content": Field(_is_long_text, _TEXT, is_required=True),
    "createdAt": Field(is_time, _TIME, is_required=True),
}


def validation_errors(record: Mapping[str, Any], fields: Mapping[str, Field]) -> Iterator[str]:
    """What is wrong with a record: each a clause that names field, value and what was expected."""
    for name, field in fields.items():
        value = record.get(name)
        if value is None and not field.is_required:
            continue
        if not field.is_sound(value):
            yield f"{name} is {shortened(value)}, expected {field.expected}"
    workflow = record.get("workflow")
    if "workflow" in fields and isinstance(workflow, dict):
        yield from (f"workflow.{damage}" for damage in validation_errors(workflow, WORKFLOW))


def valid_fields(record: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The fields of a record, None for each that is damaged or missing."""
    values = {name: record.get(name) for name in fields}
    return {name: value if fields[name].is_sound(value) else None for name, value in values.items()}


def read_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object that a system record holds; None for anything else."""
    try:
        found = json.loads(content.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def row_time(record_time: str) -> str | None:
    """A record's time as the rows have it; None for a date that there is not."""
    time = f"{record_time[:23]}Z"
    return time if is_time(time) else None


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
