"""Make the rows again from the logs: each log tells its session and its workflow.

What only the database knew is lost with it: messages, idempotency keys, workflows that never
ran an agent, and how far a workflow's gates had been opened.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webapp.log import folder, reader
from webapp.log.conversation import Conversation, read_conversation
from webapp.log.dialects.translate import read_dialect
from webapp.log.opened import OpenLog, compressed_path, open_log
from webapp.log.record import parse_record
from webapp.log.system_records import end_columns
from webapp.log.usage import UsageRow, read_usage
from webapp.sessions import record_checks
from webapp.sessions.layout import SessionFiles, new_session_files, worktree_folder
from webapp.sessions.log_end import last_record
from webapp.store import conversations, notices, rebuilding, sessions
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID, created_at
from webapp.store.templates import MAX_STAGES
from webapp.store.values import MAX_NAME_LETTERS
from webapp.visible import shortened, visible

_AT_ONCE = 500
_HEAD_BYTES = 4 << 20
_ONE_SHOT_BYTES = 1 << 20
"""Where an agent that does not talk has said which conversation it is in."""


class _Unusable(Exception):
    """A log that does not say which session it is of."""


@dataclass
class Rebuilt:
    """What was made again, and which logs could not be used, with the reason."""

    sessions: int = 0
    workflows: int = 0
    logs: int = 0
    unusable: list[tuple[Path, str]] = field(default_factory=list)


def rebuild(database: Database, var: Path) -> Rebuilt:
    """Insert the rows of all logs that have none; rows that are there stay as they are.

    Live sessions become `running`; those that lost their runner too, until somebody looks.
    """
    rebuilt = Rebuilt()
    batch: list[_Found] = []
    for files in _sessions_on_disk(var):
        rebuilt.logs += 1
        try:
            batch.append(_read(var, files))
        except (_Unusable, OSError) as error:
            rebuilt.unusable.append((files.directory, str(error)))
        if len(batch) >= _AT_ONCE:
            _insert(database, batch, rebuilt)
            batch = []
    _insert(database, batch, rebuilt)
    return rebuilt


def add(
    database: Database,
    var: Path,
    files: SessionFiles,
    messages: Sequence[tuple[str, str, str]] = (),
) -> Rebuilt:
    """The same for one log from elsewhere, with messages of its history: role, content, time.

    What it says was allowed there is not allowed here, should its conversation go on.
    """
    rebuilt = Rebuilt(logs=1)
    try:
        found = _read(var, files)
        found.row.update(mode=None, session_rules=None)
        _insert(database, [found], rebuilt, messages)
    except _Unusable as error:
        rebuilt.unusable.append((files.directory, str(error)))
    return rebuilt


@dataclass(frozen=True)
class _Found:
    """One session as its log tells it."""

    row: dict[str, Any]
    workflow: dict[str, Any]
    usage: UsageRow | None
    conversation: Conversation | None


def _sessions_on_disk(var: Path) -> Iterator[SessionFiles]:
    """The folders of all sessions, oldest first."""
    days = var / "sessions"
    if not days.is_dir():
        return
    for day in sorted(days.iterdir()):
        if day.is_symlink() or not day.is_dir():
            continue
        for directory in sorted(day.iterdir()):
            if SESSION_ID.fullmatch(directory.name) and not directory.is_symlink():
                yield SessionFiles(directory)


def _read(var: Path, files: SessionFiles) -> _Found:
    session_id = files.directory.name
    if files.directory != new_session_files(var, session_id).directory:
        raise _Unusable("it does not lie in the folder of its day")
    log = open_log(files.log)
    try:
        facts = _with_legible_names(first_record(log) or _spec(files))
        _check(facts, session_id)
        path = files.log if log.is_plain else compressed_path(files.log)
        row = _row(facts, str(path.relative_to(var)))
        row |= _end(log, row["started_at"] or row["created_at"])
        conversation = _conversation(log, row)
        usage = _usage(log, row["log_bytes"], conversation)
    finally:
        log.close()
    told = facts.get("workflow")
    told = told if isinstance(told, dict) else {}
    folder = str(worktree_folder(var, row["workflow_id"]))
    return _Found(row, told | {"worktree": folder}, usage, conversation)


def first_record(log: OpenLog) -> dict[str, Any] | None:
    """What the first record of a log tells of its session; None where it is none of ours."""
    head = log.read(_HEAD_BYTES, 0).partition(b"\n")[0]
    record = parse_record(head)
    if record is None or record.stream != b"system":
        return None
    return record_checks.read_object(record.content)


def _spec(files: SessionFiles) -> dict[str, Any]:
    """`run.json`, for a log without a first record."""
    try:
        found = record_checks.read_object(folder.read_file(files.spec, _HEAD_BYTES))
    except OSError:
        found = None
    if found is None:
        raise _Unusable("neither its log nor its run.json says what it is")
    return found


def _with_legible_names(facts: dict[str, Any]) -> dict[str, Any]:
    """`run --name` and settings take names that the import of a log does not."""
    names = {name: facts[name] for name in ("agent", "host") if isinstance(facts.get(name), str)}
    return facts | {name: visible(text)[:MAX_NAME_LETTERS] for name, text in names.items()}


def _check(facts: dict[str, Any], session_id: str) -> None:
    if facts.get("sessionId") != session_id:
        raise _Unusable(f"its log is of session {shortened(facts.get('sessionId'))}")
    required = {name: field for name, field in record_checks.SESSION.items() if field.is_required}
    for damage in record_checks.validation_errors(facts, required):
        raise _Unusable(f"its {damage}")


def _row(facts: dict[str, Any], log_path: str) -> dict[str, Any]:
    facts = record_checks.valid_fields(facts, record_checks.SESSION)
    workflow = facts["workflow"] or {}
    return {
        "id": facts["sessionId"],
        "workflow_id": facts["workflowId"],
        "stage_index": facts["stageIndex"],
        "agent": facts["agent"],
        "argv": json.dumps(facts["argv"], ensure_ascii=False),
        "cwd": facts["cwd"],
        "takes_input": int(facts["takesInput"] is True),
        "pid": facts["pid"],
        "runner_pid": facts["runnerPid"],
        "host": facts["host"],
        "log_path": log_path,
        "created_at": facts["createdAt"] or created_at(facts["sessionId"]),
        "started_at": facts["startedAt"],
        "talk": facts["talk"],
        "resumed_from": facts["resumedFrom"],
        "project": record_checks.valid_fields(workflow, record_checks.WORKFLOW)["project"],
    }


def _end(log: OpenLog, fallback_time: str) -> dict[str, Any]:
    """The columns that tell how it ended; `running` where the log does not."""
    end = {"status": "running", "exit_code": None, "exit_signal": None, "error": None}
    live = {**end, "log_bytes": None, "ended_at": None}
    if not reader.is_complete(log):
        return live
    done = last_record(log)
    if done is None:
        return live
    facts = record_checks.valid_fields(done[1], record_checks.DONE)
    return {
        **end_columns(facts),
        "log_bytes": log.size(),
        "ended_at": record_checks.row_time(done[0]) or fallback_time,
    }


def _conversation(log: OpenLog, row: dict[str, Any]) -> Conversation | None:
    """What a log says of its conversation; its columns are added to the row."""
    max_bytes = (_ONE_SHOT_BYTES,) if row["talk"] is None else ()
    found = read_conversation(log, *max_bytes)
    row |= conversations.facts_of(found, is_live=row["status"] == "running")
    return None if row["talk"] is None else found


def _usage(log: OpenLog, size: int | None, conversation: Conversation | None) -> UsageRow | None:
    """What an ended session used; a live one tells it at its end."""
    if size is None:
        return None
    if conversation is not None:
        return conversations.usage_of(conversation)
    return read_usage(log.read, size, read_dialect(log).dialect)


def _insert(
    database: Database,
    batch: list[_Found],
    rebuilt: Rebuilt,
    messages: Sequence[tuple[str, str, str]] = (),
) -> None:
    if not batch:
        return
    stages: dict[str, int] = {}
    facts: dict[str, dict[str, Any]] = {}
    for found in batch:
        workflow_id = found.row["workflow_id"]
        stages[workflow_id] = max(stages.get(workflow_id, 0), found.row["stage_index"])
        facts[workflow_id] = found.workflow

    def work(connection: Any) -> tuple[int, int]:
        workflows = sum(
            rebuilding.insert_workflow(
                connection,
                workflow_id,
                _plausible(facts[workflow_id], workflow_id, stage_index),
                current_stage=stage_index,
            )
            for workflow_id, stage_index in stages.items()
        )
        missing = rebuilding.insert_sessions(connection, (found.row for found in batch))
        usages = [(found.row["id"], found.usage) for found in batch if found.usage is not None]
        sessions.add_usages(connection, usages)
        for found in batch:
            if found.conversation is not None and found.row["id"] in missing:
                conversations.add_turns_and_approvals(
                    connection.execute, found.row["id"], found.conversation
                )
                notices.mark_silent(connection, found.row["id"])
        if missing and messages:
            rebuilding.insert_messages(connection, batch[0].row, messages)
        return workflows, len(missing)

    workflows, missing = database.write_sql(work)
    rebuilt.workflows += workflows
    rebuilt.sessions += missing


def _plausible(told: dict[str, Any], workflow_id: str, stage_index: int) -> dict[str, Any]:
    """What a log tells of its workflow, with at least the stage that the session ran in."""
    folder, given = told["worktree"], told.get("stages")
    told = record_checks.valid_fields(told, record_checks.WORKFLOW)
    stages = list(filter(record_checks.is_stage, given)) if isinstance(given, list) else []
    del stages[MAX_STAGES:]
    while len(stages) <= stage_index:
        name = f"stage {len(stages) + 1}" if stage_index else "chat"
        stages.append({"name": name, "type": "chat", "gate": {"type": "auto"}})
    return {
        "template": told["template"] or "chat",
        "requestId": told["requestId"],
        "createdAt": told["createdAt"] or created_at(workflow_id),
        "project": told["project"],
        "worktree": None if told["branch"] is None else folder,
        "branch": told["branch"],
        "baseBranch": told["baseBranch"],
        "stages": stages,
    }
