"""`approve`: answer what an agent waits for."""

import json
from typing import Any

import click

from webapp.commands.approvals import who
from webapp.commands.conversation_parts import number_of, options_of, title_of
from webapp.commands.options import var_options
from webapp.commands.terminal import plain
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import BadRequest, NotFound
from webapp.sessions.approvals import answer
from webapp.store import shapes
from webapp.store.models import Session

ALLOW, ALLOW_SESSION, DENY, ANSWER = "allow_once", "allow_session", "deny", "answer"
_NO_WORDS = ""


@click.command(
    epilog="""\b
Examples:
  agent-stream approve last
  agent-stream approve k3v9x0a1/2 --session
  agent-stream approve last --deny "Not in this folder."
  agent-stream approve last --input '{"command": "git status"}'
  agent-stream approve last --answer colour=Blue"""
)
@click.argument("approval", metavar="SESSION[/APPROVAL]")
@click.option("--session", "for_session", is_flag=True, help="Allow it for the whole session.")
@click.option("--deny", is_flag=False, flag_value=_NO_WORDS, metavar="[WORDS]",
              help="Deny it, with words for the agent if you like.")  # fmt: skip
@click.option("--option", metavar="ID", help="Any other option that it offers.")
@click.option("--input", "changed", metavar="JSON", help="Allow it with these fields changed.")
@click.option("--answer", "answers", metavar="QUESTION=TEXT", multiple=True,
              help="Answer a question; several times for several.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The resolved approval, as in the API.")
@var_options
def approve(
    approval: str,
    for_session: bool,
    deny: str | None,
    option: str | None,
    changed: str | None,
    answers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Allow what the agent of SESSION waits for, once; or answer it otherwise.

    APPROVAL is its number or its id; it may be left out where only one is open. The exit code
    is 1 if somebody was faster, and the message says who.
    """
    if sum((for_session, deny is not None, option is not None)) > 1:
        raise click.UsageError("Give one of --session, --deny and --option.")
    kind = ALLOW_SESSION if for_session else DENY if deny is not None else ALLOW
    given: dict[str, Any] = {"by": who()}
    if deny:
        given["message"] = deny
    if changed is not None:
        given["input"] = _object(changed)
    if answers:
        kind, given["answers"] = ANSWER, _answers(answers)
    with open_var_folder() as var_folder:
        session, approval_id = _find(var_folder, approval)
        given["option"] = option or option_for(session, approval_id, kind)
        resolved = answer(var_folder.database, var_folder.var, session.id, approval_id, given)
    if as_json:
        click.echo(json.dumps({"sessionId": session.id, **resolved}))
    else:
        click.echo(plain(f"{session.id}/{number_of(approval_id)}: {resolved.get('outcome')}"))


def option_for(session: Session, approval_id: str, kind: str) -> str:
    """The id of the option of a kind; the kind where the row does not know the approval."""
    for record in _open(session):
        if record.get("id") == approval_id:
            ids = [str(each.get("id")) for each in options_of(record) if each.get("kind") == kind]
            return ids[0] if ids else kind
    return kind


def _find(var_folder: VarFolder, text: str) -> tuple[Session, str]:
    """The session and the id of the approval that a person means."""
    named, _slash, number = text.partition("/")
    session = var_folder.find(named)
    if number:
        is_number = number.isascii() and number.isdigit()
        return session, f"{session.id}.{number}" if is_number else number
    found = _open(session)
    if len(found) == 1:
        return session, str(found[0].get("id"))
    if not found:
        raise NotFound(f"{session.id} waits for nobody's approval.")
    shown = "\n".join(
        f"  {session.id}/{number_of(each.get('id'))}  {title_of(each)}" for each in found
    )
    raise NotFound(f"{session.id} waits for several approvals; name one of:\n{shown}")


def _open(session: Session) -> list[dict[str, Any]]:
    return [each for each in shapes.read_list(session.open_approvals) if isinstance(each, dict)]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadRequest(f"--input is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise BadRequest(
            f'--input is {text[:80]!r}, expected an object such as {{"command": "ls"}}.'
        )
    return found


def _answers(texts: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        question, equals, said = text.partition("=")
        if not equals or not question:
            raise BadRequest(f"--answer is {text[:80]!r}, expected QUESTION=TEXT.")
        found.setdefault(question, []).append(said)
    return found
