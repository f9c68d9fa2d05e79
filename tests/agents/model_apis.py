"""A stand-in, on loopback, for the APIs of models that agents call: it does what it is asked to.

`[[run COMMAND]]` in a person's last message has it call the agent's shell, `[[slow]]` has it talk
for a long time; otherwise it names each `<<WORD>>` of the whole conversation that it was sent.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.agents.messages_api import text_events, tool_call_events

SLOW_WORDS = 300
PAUSE_SECONDS = 0.1
USED = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


class Reply(NamedTuple):
    """What the model does next: a command for the shell, or words."""

    command: str | None
    words: list[str]
    pause: float = 0.0


def reply_to(said: list[tuple[str, str]]) -> Reply:
    """By all that was said: who (`user`, `assistant` or `tool`), and what."""
    texts = [text for who, text in said if who == "user"]
    asked, newest = (
        max((n for n, (who, text) in enumerate(said) if who == "user" and mark in text), default=-1)
        for mark in ("[[", "<<")
    )
    is_done = any(who == "tool" for who, _text in said[asked + 1 :])
    if asked > newest and not is_done:
        command = re.search(r"\[\[run (.*?)\]\]", said[asked][1])
        if command is not None:
            return Reply(command[1], [])
        return Reply(None, ["word "] * SLOW_WORDS, PAUSE_SECONDS)
    words = re.findall(r"<<(\w+)>>", " ".join(texts))
    return Reply(None, ["Heard ", *(f"{word} " for word in words)])


class ModelApis(ThreadingHTTPServer):
    """All four APIs; which one is meant is in the path."""

    def __init__(self, tool: str, argument: str) -> None:
        """The name of the agent's shell, and of its argument."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tool = tool
        self.argument = argument

    def call(self, command: str) -> dict[str, str]:
        """The arguments of a call of the shell."""
        return {self.argument: command, "description": "Do it"}

    @property
    def url(self) -> str:
        """Without a version."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def model_apis(tool: str, argument: str) -> Iterator[ModelApis]:
    """The APIs, while the test lasts."""
    with ModelApis(tool, argument) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: ModelApis

    def do_GET(self) -> None:
        self._send_json({"data": [], "models": []})

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        path = self.path.partition("?")[0]
        answers: dict[str, Callable[[dict[str, Any]], Iterator[Any]]] = {
            "/messages": self._messages,
            "/responses": self._responses,
            "/chat/completions": self._chat,
            ":streamGenerateContent": self._gemini,
        }
        for end, answer in answers.items():
            if path.endswith(end):
                self._send_events(answer(body))
                return
        is_gemini = path.endswith(":generateContent")
        self._send_json(_gemini_chunk([{"text": "{}"}]) if is_gemini else {"input_tokens": 10})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def _send_json(self, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_events(self, events: Iterator[Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for event in events:
                name = f"event: {event['type']}\n" if "type" in event else ""
                self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            return  # interrupted

    # --- one API each: read what was said, then send the reply ----------------------------

    def _messages(self, body: dict[str, Any]) -> Iterator[Any]:
        said = []
        for message in body["messages"]:
            blocks = message["content"]
            if isinstance(blocks, str):
                blocks = [{"type": "text", "text": blocks}]
            for block in blocks:
                who = "tool" if block["type"] == "tool_result" else message["role"]
                said.append((who, block.get("text", "")))
        reply = reply_to(said) if body.get("tools") else Reply(None, ["A title"])
        if reply.command is not None:
            yield from tool_call_events(reply.command)
        else:
            for event in text_events(reply.words):
                yield event
                time.sleep(reply.pause if event["type"] == "content_block_delta" else 0)

    def _responses(self, body: dict[str, Any]) -> Iterator[Any]:
        said = []
        for item in body["input"]:
            if item["type"] == "message":
                said += [(item["role"], part.get("text", "")) for part in item["content"]]
            elif item["type"].endswith("_output"):
                said.append(("tool", ""))
        reply = reply_to(said)
        number = len(said)
        response = {"id": f"r{number}", "object": "response", "status": "in_progress", "output": []}
        yield {"type": "response.created", "response": response}
        if reply.command is not None:
            item = {"type": "function_call", "id": f"f{number}", "call_id": f"call{number}"}
            given = json.dumps(self.server.call(reply.command))
            item |= {"name": self.server.tool, "arguments": given, "status": "completed"}
            yield {"type": "response.output_item.added", "output_index": 0, "item": item}
        else:
            item = {"type": "message", "id": f"m{number}", "role": "assistant", "content": []}
            yield {"type": "response.output_item.added", "output_index": 0, "item": item}
            at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
            part = {"type": "output_text", "text": "", "annotations": []}
            yield {"type": "response.content_part.added", **at, "part": part}
            for word in reply.words:
                yield {"type": "response.output_text.delta", **at, "delta": word}
                time.sleep(reply.pause)
            item = item | {"content": [part | {"text": "".join(reply.words)}]}
        yield {"type": "response.output_item.done", "output_index": 0, "item": item}
        done = {"status": "completed", "output": [item], "usage": USED}
        yield {"type": "response.completed", "response": response | done}

    def _chat(self, body: dict[str, Any]) -> Iterator[Any]:
        said = []
        for message in body["messages"]:
            content = message.get("content") or ""
            texts = [content] if isinstance(content, str) else [p.get("text", "") for p in content]
            said += [(message["role"], text) for text in texts]
        reply = reply_to(said) if body.get("tools") else Reply(None, ["A title"])
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}

        def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
            return chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

        yield choice({"role": "assistant", "content": ""})
        if reply.command is not None:
            given = json.dumps(self.server.call(reply.command))
            call = {"name": self.server.tool, "arguments": given}
            tool_call = {"index": 0, "id": f"c{len(said)}", "type": "function", "function": call}
            yield choice({"tool_calls": [tool_call]})
        for word in reply.words:
            yield choice({"content": word})
            time.sleep(reply.pause)
        yield choice({}, "stop" if reply.command is None else "tool_calls")

    def _gemini(self, body: dict[str, Any]) -> Iterator[Any]:
        said = []
        for content in body["contents"]:
            for part in content["parts"]:
                who = "tool" if "functionResponse" in part else content.get("role", "user")
                said.append((who, part.get("text", "")))
        reply = reply_to(said)
        if reply.command is not None:
            call = {"name": self.server.tool, "args": self.server.call(reply.command)}
            yield _gemini_chunk([{"functionCall": call}])
        for word in reply.words:
            yield _gemini_chunk([{"text": word}], is_last=False)
            time.sleep(reply.pause)
        if reply.command is None:
            yield _gemini_chunk([{"text": ""}])


def _gemini_chunk(parts: list[dict[str, Any]], *, is_last: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    candidate |= {"finishReason": "STOP"} if is_last else {}
    return {"candidates": [candidate], "modelVersion": "stub"}
