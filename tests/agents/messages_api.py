"""A stand-in for the Messages API on loopback: one tool call, then a text."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

TOOL_OUTPUT = "from-the-tool"
ANSWER = "All done."
PATIENCE_SECONDS = 30
_NUMBERS = count(1)
"""For ids: Claude takes two messages with one id for one."""


class MessagesApi(ThreadingHTTPServer):
    """Answers a turn; the text after the tool call waits until `go_on` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.go_on = threading.Event()
        self.command = f"echo {TOOL_OUTPUT}"
        """What the tool call is to run."""

    @property
    def url(self) -> str:
        """For ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def messages_api() -> Iterator[MessagesApi]:
    """The API, while the test lasts."""
    with MessagesApi() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.go_on.set()
        api.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: MessagesApi

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wants_tool = bool(body.get("tools")) and not _has_tool_result(body["messages"])
        if not wants_tool and body.get("tools"):
            self.server.go_on.wait(PATIENCE_SECONDS)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        command = self.server.command
        events = tool_call_events(command) if wants_tool else text_events([ANSWER])
        for event in events:
            frame = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            self.wfile.write(frame.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _has_tool_result(messages: list[dict[str, Any]]) -> bool:
    blocks = [message["content"] for message in messages if isinstance(message["content"], list)]
    return any(block["type"] == "tool_result" for content in blocks for block in content)


def tool_call_events(command: str) -> list[dict[str, Any]]:
    """A call of Bash."""
    given = json.dumps({"command": command, "description": "Say it"})
    block = {"type": "tool_use", "id": f"toolu_{next(_NUMBERS)}", "name": "Bash", "input": {}}
    return _message(block, [{"type": "input_json_delta", "partial_json": given}], "tool_use")


def text_events(words: list[str]) -> list[dict[str, Any]]:
    """A text, word by word."""
    deltas = [{"type": "text_delta", "text": word} for word in words]
    return _message({"type": "text", "text": ""}, deltas, "end_turn")


def _message(
    block: dict[str, Any], deltas: list[dict[str, Any]], stop: str
) -> list[dict[str, Any]]:
    message: dict[str, Any] = {
        "id": f"msg_{next(_NUMBERS)}",
        "type": "message",
        "role": "assistant",
        "model": "stand-in",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    end = {"stop_reason": stop, "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
