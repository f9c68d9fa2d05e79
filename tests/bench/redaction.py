"""Redaction: what it takes out of text that holds no secret, and how fast it reads."""

import base64
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Figure
from webapp.log.redact import Redactor

ROOT = Path(__file__).parents[2]
CORPUS = (Path(sys.prefix) / "lib", ROOT / "tests" / "node_modules", ROOT / "webapp")
"""Packages' files: code, minified code, source maps, types, lock files, documentation."""
MIN_CORPUS_BYTES = 50_000_000
GENUINE = (
    # Private keys of gevent's tests of TLS
    "gevent/tests/2_7_keycert.pem",
    "gevent/tests/badcert.pem",
    "gevent/tests/keycert.pem",
    "gevent/tests/server.key",
    "gevent/tests/test_server.key",
    "gevent/tests/wrongcert.pem",
)
"""Files that do hold keys: they must be redacted."""
BINARY = (".so", ".pyc", ".node", ".gz", ".zip", ".png", ".ico", ".woff2", ".wasm")
CHUNK_BYTES = 65_536
SAMPLE_BYTES = 4_000_000


def measure(_folder: Path, runs: int) -> list[Figure]:
    """False hits in packages' files; the rate for what agents print."""
    return [*_false_hits(), *_rates(runs)]


def _false_hits() -> list[Figure]:
    size, hits, missed = 0, [], []
    for path in text_files():
        data = path.read_bytes()
        size += len(data)
        redactor = Redactor([], keys=True)
        is_changed = redactor.feed(data) + redactor.finish() != data
        is_genuine = str(path).endswith(GENUINE)
        if is_changed and not is_genuine:
            hits.append(str(path))
        if is_genuine and not is_changed:
            missed.append(str(path))
    for path_name in (*hits, *missed):
        print("wrong:", path_name, file=sys.stderr)
    return [
        Figure("redaction", "text read", size / 1e6, "MB", MIN_CORPUS_BYTES / 1e6, at_least=True),
        Figure("redaction", "files changed wrongly, a GB", len(hits) / size * 1e9, "", 0),
        Figure("redaction", "private keys missed", len(missed), "", 0),
    ]


def text_files() -> Iterator[Path]:
    """The files of the corpus that an agent may print."""
    for root in CORPUS:
        for folder, _folders, names in os.walk(root):
            for name in sorted(names):
                path = Path(folder, name)
                if not name.endswith(BINARY) and not path.is_symlink():
                    yield path


def _rates(runs: int) -> list[Figure]:
    return [
        Figure("redaction", name, max(_rate(chunks) for _ in range(runs)), "MB/s", bar, True)
        for name, bar, chunks in _samples()
    ]


def _rate(chunks: list[bytes]) -> float:
    redactor = Redactor([], keys=True)
    started = time.process_time()
    for chunk in chunks:
        redactor.feed(chunk)
    return sum(map(len, chunks)) / (time.process_time() - started) / 1e6


def _samples() -> Iterator[tuple[str, float, list[bytes]]]:
    """What, the minimum rate, and the pieces as a runner reads them."""
    code = b"".join(path.read_bytes() for path in text_files() if path.suffix == ".py")
    code = code[:SAMPLE_BYTES]
    log = b"2026-01-02 INFO app: request_id=5 handled GET /api/v1/items in 12 ms\n"
    event = b'{"type":"tool_call","id":"toolu_01AbCdEfGhIjKlMnOpQrStUv","name":"read_file"}\n'
    image = base64.b64encode(random.Random(1).randbytes(SAMPLE_BYTES))
    yield "lines of a log, by 64 KB", 200, _cut(log * 50_000)
    yield "JSON lines with ids, by 64 KB", 40, _cut(event * 50_000)
    yield "code, by 64 KB", 80, _cut(code)
    yield "base64, by 64 KB", 20, _cut(image)
    yield "code, by lines", 8, code.splitlines(keepends=True)
    yield "code, by words", 0.5, [word + b" " for word in code[:500_000].split(b" ")]


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
