"""What a coding agent prints, made up of real source code: Claude Code's stream-json.

https://docs.claude.com/en/docs/claude-code/headless: what it says, the tools it calls, and
their results, which hold what it has read and changed twice, for the model and for programs.
"""

import json
import random
import sysconfig
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_HOT_FILES = 12
"""An agent works on few files, and reads each of them again and again."""
_LEAST_BYTES, _MOST_BYTES = 2_000, 60_000
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@cache
def _sources() -> list[Path]:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
    found = (path for folder in sorted(folders) for path in Path(folder).rglob("*.py"))
    return sorted(path for path in found if _LEAST_BYTES < path.stat().st_size < _MOST_BYTES)


def agent_lines(seed: int, steps: int) -> list[bytes]:
    """All lines of a session of so many steps; some 13 KB each."""
    return [json.dumps(line, separators=(",", ":")).encode() for line in _Agent(seed).work(steps)]


class _Agent:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._session = self._uuid()
        self._files = self._random.sample(_sources(), _HOT_FILES)
        texts = {file: file.read_text("utf-8", "replace") for file in self._files}
        self._lines = {file: text.split("\n") for file, text in texts.items()}
        self._words = [word for text in texts.values() for word in text.split() if word.isalpha()]

    def work(self, steps: int) -> Iterator[dict[str, Any]]:
        for _ in range(steps):
            count = self._random.randint(10, 60)
            text = " ".join(self._random.choices(self._words, k=count))
            yield self._says({"type": "text", "text": text})
            act = self._random.choices([self._read, self._edit, self._search], [45, 25, 30])[0]
            yield from act(self._random.choice(self._files))

    def _read(self, file: Path) -> Iterator[dict[str, Any]]:
        lines = self._lines[file]
        start = self._random.randrange(max(1, len(lines) - 50))
        part = lines[start : start + self._random.randint(40, 250)]
        numbered = (f"{number:6d}\u2192{line}" for number, line in enumerate(part, start + 1))
        result = {
            "filePath": str(file),
            "content": "\n".join(part),
            "numLines": len(part),
            "startLine": start + 1,
            "totalLines": len(lines),
        }
        asked = {"file_path": str(file), "offset": start}
        yield from self._calls("Read", asked, "\n".join(numbered), {"type": "text", "file": result})

    def _edit(self, file: Path) -> Iterator[dict[str, Any]]:
        lines = self._lines[file]
        start = self._random.randrange(max(1, len(lines) - 10))
        old = "\n".join(lines[start : start + 6])
        new = old.replace("self", "this")
        change = {"filePath": str(file), "oldString": old, "newString": new}
        shown = "\n".join(lines[max(0, start - 4) : start + 12])
        asked = {"file_path": str(file), "old_string": old, "new_string": new}
        result = change | {"originalFile": "\n".join(lines), "userModified": False}
        yield from self._calls("Edit", asked, f"The file {file} has been updated.\n{shown}", result)

    def _search(self, file: Path) -> Iterator[dict[str, Any]]:
        found = "\n".join(
            f"{self._random.choice(self._files)}:{self._random.randint(1, 900)}:"
            f"{self._random.choice(self._lines[file])}"
            for _ in range(self._random.randint(5, 40))
        )
        asked = {"command": f"grep -rn {self._random.choice(self._words)} {file.parent}"}
        result = {"stdout": found, "stderr": "", "interrupted": False}
        yield from self._calls("Bash", asked, found, result)

    def _calls(
        self, tool: str, asked: dict[str, Any], answer: str, result: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        call_id = self._id("toolu_01")
        yield self._says({"type": "tool_use", "id": call_id, "name": tool, "input": asked})
        block = {"tool_use_id": call_id, "type": "tool_result", "content": answer}
        yield {
            "type": "user",
            "message": {"role": "user", "content": [block]},
            "parent_tool_use_id": None,
            "session_id": self._session,
            "uuid": self._uuid(),
            "tool_use_result": result,
        }

    def _says(self, block: dict[str, Any]) -> dict[str, Any]:
        usage = {
            "input_tokens": self._random.randint(1, 9),
            "cache_creation_input_tokens": self._random.randint(100, 3000),
            "cache_read_input_tokens": self._random.randint(10_000, 90_000),
            "output_tokens": self._random.randint(1, 900),
            "service_tier": "standard",
        }
        return {
            "type": "assistant",
            "message": {
                "model": "claude-sonnet-4-5-20250929",
                "id": self._id("msg_01"),
                "type": "message",
                "role": "assistant",
                "content": [block],
                "stop_reason": None,
                "usage": usage,
            },
            "parent_tool_use_id": None,
            "session_id": self._session,
            "uuid": self._uuid(),
        }

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128)))

    def _id(self, prefix: str) -> str:
        return prefix + "".join(self._random.choices(_BASE58, k=22))
