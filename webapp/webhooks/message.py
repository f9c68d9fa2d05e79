"""What is sent for an event: body and headers, signed.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from email.header import Header
from typing import NamedTuple

from webapp.visible import visible
from webapp.webhooks.events import URGENT, Event, link_of

MAX_TEXT_LETTERS = 500


class Message(NamedTuple):
    """A request's content."""

    headers: dict[str, str]
    body: bytes


def compose(
    event: Event, template: str, *, key: bytes | None, now_seconds: int, public_url: str | None
) -> Message:
    """The request for an event. Each attempt has the same id and a signature of its own time."""
    message = _TEMPLATES[template](event, link_of(event, public_url))
    headers = {
        "User-Agent": "agent-stream",
        "webhook-id": message_id(event),
        "webhook-timestamp": str(now_seconds),
        **message.headers,
    }
    if key is not None:
        headers["webhook-signature"] = sign(key, message_id(event), now_seconds, message.body)
    return Message(headers, message.body)


def message_id(event: Event) -> str:
    """The same for one event for ever, also after the rows were made again."""
    return f"msg_{hashlib.sha256(event.key.encode()).hexdigest()[:32]}"


def sign(key: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    content = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _json(event: Event, link: str | None) -> Message:
    data = {
        "key": event.key,
        "kind": event.kind,
        "agent": event.agent,
        "sessionId": event.session_id,
        "workflowId": event.workflow_id,
        "turn": event.turn,
        "approvalId": event.approval_id,
        "title": event.title,
        "text": event.text,
        "url": link,
    }
    given = {name: value for name, value in data.items() if value is not None}
    body = {"type": f"agent.{event.kind}", "timestamp": event.made_at, "data": given}
    return Message({"Content-Type": "application/json"}, json.dumps(body).encode())


def _ntfy(event: Event, link: str | None) -> Message:
    """https://docs.ntfy.sh/publish/: the title in a header, the text in the body."""
    title = visible(event.headline)
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": title if title.isascii() else Header(title, "utf-8", 10_000).encode(),
        "Priority": "high" if event.kind in URGENT else "default",
    }
    if link is not None:
        headers["Click"] = link
    return Message(headers, _text(event).encode())


def _slack(event: Event, link: str | None) -> Message:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""
    where = f" (<{link}|open>)" if link is not None else ""
    text = f"*{_for_slack(event.headline)}*{where}\n{_for_slack(_text(event))}"
    return Message({"Content-Type": "application/json"}, json.dumps({"text": text}).encode())


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(event: Event) -> str:
    """What it is about, in lines."""
    lines = [line for line in (event.text, event.title) if line]
    return visible("\n".join(lines) or event.headline, keep="\n")[:MAX_TEXT_LETTERS]


_TEMPLATES: dict[str, Callable[[Event, str | None], Message]] = {
    "json": _json,
    "ntfy": _ntfy,
    "slack": _slack,
}
