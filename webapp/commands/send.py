"""`send`: give a live agent something to read on its stdin."""

import os
import sys
import time
from collections.abc import Iterator

import click

from webapp.commands.figures import byte_count
from webapp.commands.options import session_argument, var_options
from webapp.commands.talk import send_message
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import BadRequest, TooManyRequests
from webapp.sessions.input import MAX_INPUT_BYTES, send_input
from webapp.store.models import Session

FROM_STDIN = "-"
_RETRY_SECONDS = 0.1


@click.command(
    epilog="""\b
Examples:
  agent-stream send last yes
  agent-stream send last --end
  git diff | agent-stream send k3v9 - --end
  agent-stream send last "next step" --key step-7"""
)
@session_argument
@click.argument("text", required=False)
@click.option("--end", is_flag=True, help="Then close its stdin: nothing more will come.")
@click.option("--key", metavar="KEY", help="The same key again sends nothing again.")
@var_options
def send(session: str, text: str | None, end: bool, key: str | None) -> None:
    """Send TEXT (- for what comes on stdin) to the agent of SESSION, with a newline at its end.

    It is recorded in the log, then written to the agent's stdin. Where the agent has much to
    read already, this waits until it has. The agent must be one that reads input while it
    runs: `input = true` in its profile, or `run --input`.

    To an agent that holds a conversation it is a message; one that has ended is resumed.
    """
    if text is None and not end:
        raise click.UsageError("There is nothing to send: give TEXT, or --end.")
    if key == "":
        raise click.UsageError("--key is empty, expected a text that no other input has.")
    content = _content(text)
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        if found.talk is not None:
            _send_message(var_folder, found, content, key=key, end=end)
            return
        pieces = list(pieces_of(content))
        for number, piece in enumerate(pieces, start=1):
            piece_key = key if key is None or number == 1 else f"{key}/{number}"
            is_last = end and number == len(pieces)
            while True:
                try:
                    send_input(var_folder.var, found, piece, key=piece_key, is_last=is_last)
                    break
                except TooManyRequests:
                    time.sleep(_RETRY_SECONDS)
        click.echo(f"{found.id}: sent {byte_count(len(content))}{', the end' if end else ''}")


def _send_message(
    var_folder: VarFolder, session: Session, content: bytes, *, key: str | None, end: bool
) -> None:
    """To the session's conversation, live or not."""
    if end:
        raise click.UsageError("A conversation has no end of input; `cancel` ends its session.")
    try:
        message = content.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The message must be UTF-8: byte {error.start} is not.") from None
    sent = send_message(var_folder, session, message, key)
    resumed = "" if sent.session.id == session.id else f", which goes on with {session.id}"
    click.echo(f"{sent.session.id}: sent {byte_count(len(content))}{resumed}")


def _content(text: str | None) -> bytes:
    if text == FROM_STDIN:
        return sys.stdin.buffer.read()
    return b"\n" if text == "" else os.fsencode(text or "")


def pieces_of(content: bytes) -> Iterator[str]:
    """The whole content, cut between lines into pieces that a runner takes at once.

    At least one piece, which may be empty. BadRequest for what is no UTF-8, or a line that
    is longer than a piece may be.
    """
    start = 0
    while True:
        end = len(content)
        if end - start > MAX_INPUT_BYTES:
            end = content.rfind(b"\n", start, start + MAX_INPUT_BYTES) + 1
            if end <= start:
                line = content[start:].partition(b"\n")[0]
                raise BadRequest(
                    f"A line of {len(line)} bytes cannot be sent; it holds at most "
                    f"{MAX_INPUT_BYTES} bytes with its newline."
                )
        try:
            yield content[start:end].decode()
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"What is sent must be UTF-8: byte {start + error.start} is "
                f"0x{content[start + error.start]:02x}."
            ) from None
        start = end
        if start >= len(content):
            return
