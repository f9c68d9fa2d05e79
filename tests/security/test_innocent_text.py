"""Text without secrets comes through unchanged. `make bench` measures it on packages' files."""

import base64
import random
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.security.sample_keys import BASE64, CAPITAL, HEX, WORD, letters
from webapp.log.redact import Redactor

ROOT = Path(__file__).parents[2]
CHANCE = random.Random(7)


def hash_of(bits: int) -> str:
    """As git, docker, lock files and file names have them."""
    return CHANCE.randbytes(bits // 8).hex()


def base64_of(size: int) -> str:
    """Pictures, source maps and signatures have long ones."""
    return base64.b64encode(CHANCE.randbytes(size)).decode()


def urlsafe(size: int) -> str:
    """Ids, signatures and cursors of APIs."""
    return base64.urlsafe_b64encode(CHANCE.randbytes(size)).decode().rstrip("=")


MAKERS: dict[str, Callable[[], str]] = {
    "task ids": lambda: f"task-{hash_of(128)}",
    "disk ids": lambda: f"s3://bucket/disk-{hash_of(128)}/part-0",
    "tool calls": lambda: f'{{"id":"toolu_01{letters(22, seed=CHANCE.random())}"}}',
    "function calls": lambda: f"call_{letters(24, seed=CHANCE.random())}",
    "uuids": lambda: f"/api/items/{uuid.UUID(bytes=CHANCE.randbytes(16))}?v=2",
    "commits": lambda: f"commit {hash_of(160)} (tag: v1.2.3, origin/feature-{hash_of(32)})",
    "locales": lambda: f"dist/chunks/sk-{hash_of(128)}.js",
    "integrity": lambda: f'"integrity": "sha512-{base64_of(64)}"',
    "wheels": lambda: f"--hash=sha256:{hash_of(256)} \\",
    "blobs": lambda: f"data:image/png;base64,{base64_of(3000)}",
    "urlsafe blobs": lambda: f"?cursor={urlsafe(300)}",
    "source maps": lambda: f"//# sourceMappingURL=data:application/json;base64,eyJ{base64_of(900)}",
    "capitals": lambda: f"{letters(30, CAPITAL, CHANCE.random())}_{letters(9, CAPITAL, 3)}",
    "public keys": lambda: f"ssh-rsa {base64_of(279)} user@host",
    "certificates": lambda: (
        f"-----BEGIN CERTIFICATE-----\nMII{base64_of(45)}\n{base64_of(48)}\n-----END CERTIFICATE"
    ),
    "minified": lambda: (
        f"e.exports=t({CHANCE.randrange(999)}),n.{letters(5, WORD)}={letters(60, HEX)}"
    ),
    "words": lambda: "risk-sk-based_desk-npm_install-hf_hub-xoxb-like-AKIAlike-eyJust-a-word",
    "letters": lambda: letters(400, BASE64, CHANCE.random()),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_ids_and_blobs_come_through(kind: str) -> None:
    text = "\n".join(MAKERS[kind]() for _ in range(1500)).encode()
    redactor = Redactor([], keys=True)
    assert redactor.feed(text) + redactor.finish() == text


def test_own_files_come_through() -> None:
    paths = [path for path in (ROOT / "webapp").rglob("*") if path.suffix in {".py", ".md", ".js"}]
    paths += [ROOT / "README.md", ROOT / "tests" / "package-lock.json", *ROOT.glob("*.txt")]
    assert len(paths) > 200
    for path in paths:
        data = path.read_bytes()
        redactor = Redactor([], keys=True)
        pieces = [redactor.feed(data[at : at + 777]) for at in range(0, len(data), 777)]
        assert b"".join(pieces) + redactor.finish() == data, path
