"""The conversation of a session: by the protocol that its profile names."""

import json
import os
from collections.abc import Callable

from webapp.runner.agent import StartError
from webapp.runner.logfile import LogFile
from webapp.runner.spec import Spec
from webapp.runner.stdin_pipe import StdinPipe
from webapp.runner.stopping import Stopping
from webapp.runner.talk.acp import Acp
from webapp.runner.talk.claude import Claude
from webapp.runner.talk.codex import Codex
from webapp.runner.talk.conversation import Conversation
from webapp.runner.talk.conversation_lock import InUse
from webapp.runner.talk.messages import Message

PROTOCOLS: dict[str, type[Conversation]] = {"claude": Claude, "codex": Codex, "acp": Acp}
"""By the names that profiles have for them."""


def open_conversation(
    spec: Spec,
    log: LogFile,
    pipe: StdinPipe,
    redact_text: Callable[[str], str],
    stopping: Stopping,
    schedule_write: Callable[[], None],
) -> Conversation:
    """Before the agent is started, with the environment that it needs. Raises StartError."""
    assert spec.talk is not None
    protocol = _protocol(str(spec.talk["protocol"]))
    os.environ.update(dict(protocol.environment))
    try:
        return protocol(spec, log, pipe, redact_text, stopping, schedule_write)
    except InUse as error:
        raise StartError(str(error)) from None
    except OSError as error:
        raise StartError(f"cannot lock the conversation: {error.strerror}") from None


def _protocol(name: str) -> type[Conversation]:
    if name not in PROTOCOLS:
        raise StartError(f"unknown protocol {name!r} of a conversation")
    return PROTOCOLS[name]


def first_messages(text: str | None) -> list[Message]:
    """What the launching worker hands over: a list of messages, or the text of one."""
    if text is None:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return [Message(str(m["id"]), str(m["content"]), m.get("by")) for m in found]
    return [Message(_new_id(), text, None)]


def _new_id() -> str:
    """A random UUID: https://datatracker.ietf.org/doc/html/rfc9562#section-5.4"""
    number = int.from_bytes(os.urandom(16), "big")
    number = number & ~(0xF << 76) | 4 << 76
    digits = f"{number & ~(0x3 << 62) | 0x2 << 62:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
