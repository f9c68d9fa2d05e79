"""`/api/sessions/<id>/changes`: what a conversation, or a turn, has changed in a repository."""

from typing import Annotated
from urllib.parse import quote_from_bytes, unquote_to_bytes

from flask import Blueprint, Response, jsonify, request
from msgspec import Meta

from webapp.changes.compare import Change
from webapp.changes.patch import shown
from webapp.http.inputs import Input, Required, convert_args
from webapp.http.services import services
from webapp.http.threads import run_aside
from webapp.sessions import changes as comparing
from webapp.sessions.changes import Compared

blueprint = Blueprint("session_changes", __name__, url_prefix="/api/sessions")

MAX_FILES = 5000

Turn = Annotated[int, Meta(ge=1, le=10**9)]
State = Annotated[str, Meta(pattern="^([0-9a-f]{40}|[0-9a-f]{64})$")]


class _ChangesArgs(Input):
    turn: Turn | None = None


class _FileArgs(Input):
    path: Required
    turn: Turn | None = None
    state: State | None = None


@blueprint.get("/<session_id>/changes")
def get_changes(session_id: str) -> Response:
    """`{turn, turns, state, files, added, removed, isCut}`: see `list_changes`."""
    return jsonify(list_changes(session_id, convert_args(request.args, _ChangesArgs).turn))


@blueprint.get("/<session_id>/changes/file")
def get_file(session_id: str) -> Response:
    """The file of `?path=` (its `key`), with `hunks`: see `read_file`."""
    asked = convert_args(request.args, _FileArgs)
    return jsonify(read_file(session_id, asked.path, asked.turn, asked.state))


def list_changes(session_id: str, turn: int | None) -> dict[str, object]:
    """The files that differ since the conversation began, or from before a turn to after it."""
    compared = _compare(session_id, turn, None)
    found, is_cut = compared.changes()
    return {
        "turn": turn,
        "turns": compared.turns,
        "state": compared.after,
        "files": [_shape(change) for change in found[:MAX_FILES]],
        "added": sum(change.added or 0 for change in found),
        "removed": sum(change.removed or 0 for change in found),
        "isCut": is_cut or len(found) > MAX_FILES,
    }


def read_file(session_id: str, key: str, turn: int | None, state: str | None) -> dict[str, object]:
    """One file with its hunks: `{oldStart, newStart, section, lines: [[mark, text, runs?]]}`.

    `isCut`: its diff is longer than what is shown.
    """
    compared = _compare(session_id, turn, state)
    change, patch = compared.patch(unquote_to_bytes(key), run_aside)
    hunks = [
        {
            "oldStart": hunk.old_start,
            "newStart": hunk.new_start,
            "section": hunk.section,
            "lines": [shown(line) for line in hunk.lines],
        }
        for hunk in patch.hunks
    ]
    return {**_shape(change), "hunks": hunks, "isCut": patch.is_cut}


def _compare(session_id: str, turn: int | None, state: str | None) -> Compared:
    session = services().look_up(session_id)
    var = services().launcher.var
    return comparing.compare(services().database, var, session, turn, state)


def _shape(change: Change) -> dict[str, object]:
    """`path` is for people; `key` names the file to the server, whatever bytes its name has."""
    old = change.old_path
    return {
        "path": change.path.decode("utf-8", "replace"),
        "key": quote_from_bytes(change.path),
        "oldPath": None if old is None else old.decode("utf-8", "replace"),
        "status": change.status,
        "kind": change.kind,
        "added": change.added,
        "removed": change.removed,
        "isBinary": change.kind == "file" and change.added is None,
        "isProgram": change.is_program,
    }
