"""A fake agent: plays the lines of a recording and checks what it is sent.

`python -I player.py RECORDING`. A line of the recording is `{"dir": ">" | "<", "line": …}`. At a
`>` it waits for a line on stdin that says the same; ids that its peer chose are those of its
peer from then on. At an `until` it waits for the file that the line names, at a `signal` for
that signal, where no other comes before it; a `raw` line it prints as it is. What is not the
same goes to stderr, and ends it with 9.
"""

import json
import os
import signal
import sys
import time
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
IDS = ("request_id", "id")
PLAYED = ".played"
"""What it makes beside the recording when it has played all of it."""


class Player:
    def __init__(self) -> None:
        self.ids: dict[str, Any] = {}
        """What the peer calls what the recording calls so."""
        self.uuids: list[tuple[str, str]] = []
        """The same for messages."""

    def play(self, entries: list[dict[str, Any]]) -> None:
        if any(entry["dir"] == "signal" for entry in entries):
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for entry in entries:
            if entry["dir"] == "signal":
                found = signal.sigwait(SIGNALS)
                if signal.Signals(found).name != entry["line"]:
                    sys.exit(f"got signal {found}, expected {entry['line']}")
                continue
            if entry["dir"] == "until":
                self._wait_for(entry["line"])
                continue
            if entry["dir"] == "raw":
                print(entry["line"], flush=True)
                continue
            line = json.loads(entry["line"])
            if entry["dir"] == "<":
                text = self._with_ids(line) if self.ids else entry["line"]
                for recorded, sent in self.uuids:
                    text = text.replace(recorded, sent)
                print(text, flush=True)
                continue
            text = sys.stdin.readline()
            if not text:
                sys.exit("stdin has ended, expected " + entry["line"])
            found = json.loads(text)
            self._check(line, found)

    def _wait_for(self, name: str) -> None:
        """Go on when the test has made a file of this name beside the recording."""
        path = os.path.join(os.path.dirname(sys.argv[1]), name)
        give_up_at = time.monotonic() + 30
        while not os.path.exists(path):
            if time.monotonic() > give_up_at:
                sys.exit(f"nobody has made {path}")
            time.sleep(0.005)

    def _check(self, expected: dict[str, Any], found: dict[str, Any]) -> None:
        for name in IDS:
            asks = "request" in expected or "method" in expected
            if name in expected and asks:
                self.ids[json.dumps(expected[name])] = found.get(name)
                expected = {key: value for key, value in expected.items() if key != name}
        if "uuid" in expected:
            self.uuids.append((expected["uuid"], found.get("uuid", "")))
            expected = {key: value for key, value in expected.items() if key != "uuid"}
        missing = differences(expected, found)
        if missing:
            sys.stderr.write(f"expected {json.dumps(expected)}\nfound {json.dumps(found)}\n")
            sys.exit(9)

    def _with_ids(self, line: dict[str, Any]) -> str:
        """A line of the agent's, with its peer's id where it answers the peer."""
        response = line.get("response")
        if line.get("type") == "control_response" and isinstance(response, dict):
            response["request_id"] = self.ids.get(
                json.dumps(response["request_id"]), response["request_id"]
            )
        elif "id" in line and "method" not in line:
            line["id"] = self.ids.get(json.dumps(line["id"]), line["id"])
        return json.dumps(line, separators=(",", ":"))


def differences(expected: Any, found: Any) -> bool:
    """Whether something that is expected is missing or another."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return True
        return any(differences(value, found.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return True
        return any(differences(*pair) for pair in zip(expected, found, strict=True))
    return bool(expected != found)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    Player().play(entries)
    open(sys.argv[1] + PLAYED, "w").close()
    sys.stdin.read()


if __name__ == "__main__":
    main()
