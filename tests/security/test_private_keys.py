"""The body of a private key is taken out, however it is printed; what is round it stays."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.security.sample_keys import PRIVATE_KEYS, body_lines
from webapp.log.redact import Redactor
from webapp.log.spans import MARK

AFTER = "And now I go on with the work.\n"


def each_line(form: str, first: int = 1) -> Callable[[str], str]:
    """A way to print a file: what is printed for each line."""

    def print_lines(text: str) -> str:
        lines = enumerate(text.splitlines(), first)
        return "".join(form.format(number=number, line=line) + "\n" for number, line in lines)

    return print_lines


def grep_context(text: str) -> str:
    """`grep -n -A 99 BEGIN`: the hit has colons, the lines after it dashes."""
    first, *rest = each_line("keys/id-rsa_1-{number}-{line}")(text).splitlines(keepends=True)
    return "".join([first.replace("-1-", ":1:", 1), *rest])


Way = Callable[[str], str]
PLAIN: dict[str, Way] = {
    "plain": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "an agent's Read tool": each_line("{number:6}→{line}"),
    "cat -n": each_line("{number:6}\t{line}", 98),
    "cat -A": each_line("{line}$"),
    "grep -n": each_line("{number}:{line}", 8),
    "grep -n of files": each_line("keys/id-rsa_1:{number}:{line}"),
    "grep -A": grep_context,
    "quote": each_line("> {line}"),
    "diff, added": each_line("+{line}"),
    "diff, removed": each_line("-{line}"),
    "diff, there": each_line(" {line}"),
    "container's log": each_line("2026-01-02T03:04:{number:02}.123Z app-1  | {line}"),
    "comment": each_line("# {line}"),
    "code": each_line('  "{line}\\n" +'),
    "list in code": each_line("    '{line}',"),
    "environment": lambda text: 'KEY="' + text.replace("\n", "\\n") + '"\n',
    "spaces": lambda text: text.replace("\n", " ") + "\n",
    "JSON, a line each": lambda text: "".join(
        json.dumps({"type": "message", "content": line + "\n"}) + "\n" for line in text.splitlines()
    ),
}


def in_json(depth: int, print_text: Callable[[str], str]) -> Callable[[str], str]:
    """JSON in JSON, as transcripts of agents have it."""

    def print_json(text: str) -> str:
        printed = print_text(text)
        for _ in range(depth):
            printed = json.dumps({"type": "tool_result", "content": printed}) + "\n"
        return printed

    return print_json


def ways() -> Iterator[tuple[str, Callable[[str], str]]]:
    """All ways to print a key."""
    yield from PLAIN.items()
    for name in ("plain", "CRLF", "an agent's Read tool", "cat -n", "grep -A", "diff, added"):
        for depth in (1, 2, 3):
            yield f"{name}, JSON {depth}", in_json(depth, PLAIN[name])
    yield "slashes escaped", lambda text: json.dumps(text).replace("/", "\\/") + "\n"
    yield "plus signs escaped", lambda text: json.dumps(text).replace("+", "\\u002B") + "\n"


WAYS = dict(ways())


def leaked(out: bytes, block: str) -> list[str]:
    """Lines of the key of which eight letters in a row are in the output."""
    text = out.decode().replace("\\", "").replace("u002B", "+")
    return [
        line
        for line in body_lines(block)
        if any(line[at : at + 8] in text for at in range(max(1, len(line) - 7)))
    ]


@pytest.mark.parametrize(("number", "way"), [*enumerate(WAYS)])
def test_body_is_taken_out_however_it_is_printed_and_cut(number: int, way: str) -> None:
    for position, (key, block) in enumerate(PRIVATE_KEYS.items(), number):
        if (key, way) != ("pgp", "spaces"):
            text = ("Here it is:\n" + WAYS[way](block) + AFTER).encode()
            whole = Redactor([], keys=True).redact(text)
            assert not leaked(whole, block), key
            assert whole.startswith(b"Here it is:\n"), key
            assert whole.endswith(AFTER.encode()), key
            assert whole.count(b"\n") == text.count(b"\n"), key
            size = 1 if position % 3 == 0 else 61  # each way and each key in single bytes too
            assert cut_up(text, size) == whole, key


def cut_up(text: bytes, size: int) -> bytes:
    """What comes out of pieces of this size."""
    redactor = Redactor([], keys=True)
    pieces = [redactor.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return b"".join(pieces) + redactor.finish()


def test_body_is_taken_out_wherever_it_is_cut() -> None:
    for key, block in PRIVATE_KEYS.items():
        text = in_json(2, PLAIN["an agent's Read tool"])(block).encode()
        whole = Redactor([], keys=True).redact(text)
        for end in (*range(250), *range(len(text) - 120, len(text))):
            redactor = Redactor([], keys=True)
            out = redactor.feed(text[:end]) + redactor.release()
            out += redactor.feed(text[end:]) + redactor.finish()
            assert not leaked(out, block), (key, end)
            assert out.count(MARK) == whole.count(MARK), (key, end)


def test_lines_and_json_stay_whole() -> None:
    block = PRIVATE_KEYS["pkcs8"]
    lines = Redactor([], keys=True).redact(block.encode()).decode().splitlines()
    assert lines == [line if "-----" in line else "[redacted]" for line in block.splitlines()]
    printed = in_json(3, PLAIN["an agent's Read tool"])(block)
    redacted = json.loads(Redactor([], keys=True).redact(printed.encode()))
    assert "[redacted]" in redacted["content"]


PROSE = (
    "I will remove it from the repository and add it to the ignore file\n",
    "Now\n",
    "done\n",
    "Now running the tests\n",
    "webapp/src/main/java/com/Example/Security/KeyLoader.java:12: -----BEGIN PRIVATE KEY-----\n",
    "/Users/Name/Projects/SomeApplication/Sources/Keys\n",
    "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592  keys/id_rsa\n",
    '{"type":"tool_call","id":"toolu_01AbCdEfGhIjKlMnOpQrStUv","name":"Bash"}\n',
    "-----END PRIVATE KEY-----\n",
    "All 42 tests pass, and the key is gone.\n",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\n",
)


@pytest.mark.parametrize(
    "hit",
    [
        "keys/id_rsa:1:-----BEGIN RSA PRIVATE KEY-----\n",
        "The header is `-----BEGIN PRIVATE KEY-----`, is it not?\n",
        '{"content":"keys/a:1:-----BEGIN RSA PRIVATE KEY-----"}\n',
        '{"content":"keys/a:1:-----BEGIN RSA PRIVATE KEY-----\\n"}\n',
    ],
)
def test_prose_after_a_header_stays(hit: str) -> None:
    for first in range(len(PROSE)):
        text = (hit + "".join(PROSE[first:])).encode()
        assert Redactor([], keys=True).redact(text) == text
        assert cut_up(text, 1) == text


@pytest.mark.parametrize("lines", [1, 2, 5])
def test_prose_after_the_first_lines_of_a_key_stays(lines: int) -> None:
    head = "\n".join(PRIVATE_KEYS["rsa"].splitlines()[: lines + 1]) + "\n"
    prose = "".join(PROSE[:3]) + PROSE[5]
    out = Redactor([], keys=True).redact((head + prose).encode()).decode()
    assert out.endswith("\n[redacted]\n" + prose)
    assert out.count("[redacted]") == lines


def test_words_after_a_header_are_shown_after_a_silence() -> None:
    redactor = Redactor([], keys=True)
    assert redactor.feed(b"-----BEGIN PRIVATE KEY-----\n") == b"-----BEGIN PRIVATE KEY-----\n"
    shown = redactor.feed(b"I have found")
    assert redactor.is_holding
    assert shown + redactor.release() == b"I have found"
    assert redactor.feed(b" it.\n") == b" it.\n"


def test_line_without_an_end_after_a_header_costs_little() -> None:
    redactor = Redactor([], keys=True)
    out = redactor.feed(b"-----BEGIN PRIVATE KEY-----\n")
    data = b"MIIEpAIBAAKCAQEA75" * 15_000
    started = time.process_time()
    for at in range(0, len(data), 512):
        out += redactor.feed(data[at : at + 512])
    assert time.process_time() - started < 5
    assert len(out + redactor.finish()) > len(data) - 20_000
