"""A screenshot that an agent reads, and progress that a program draws, wherever people see them."""

import base64
import struct
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_joined_messages import answer_of, finds, open_session
from tests.cli.command import run
from tests.server import Server, python_agent, running_server, wait_for

SIZE = 600


def png() -> bytes:
    """A picture of SIZE by SIZE that does not compress: over 1 MB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    row = b"\0" + bytes(range(256)) * (SIZE * 3 // 256 + 1)
    rows = b"".join(row[: SIZE * 3 + 1] for _ in range(SIZE))
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    picture = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + picture


READS = """
import base64, json, os, pathlib
def say(value):
    left = memoryview(json.dumps(value).encode() + b"\\n")
    while left: left = left[os.write(1, left):]
shot = base64.b64encode(pathlib.Path(os.environ["PICTURE"]).read_bytes()).decode()
def said(text):
    say({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}})
said("I look at the screenshot.")
call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "shot.png"}}
say({"type": "assistant", "message": {"content": [call]}})
source = {"type": "base64", "media_type": "image/png", "data": shot}
content = [{"type": "image", "source": source}]
result = {"type": "tool_result", "tool_use_id": "t1", "content": content}
say({"type": "user", "message": {"role": "user", "content": [result]},
    "tool_use_result": {"type": "image", "file": {"base64": shot, "type": "image/png"}}})
said("The buttonwort is red.")
"""
DRAWS = r"""
import sys, time
for i in range(700): sys.stdout.write("\rdownloading model.bin: %6.2f %% of 3.1 GB" % (i / 7))
for i in range(3): sys.stdout.flush(); time.sleep(0.1); sys.stdout.write("\r" + "|/-"[i])
sys.stdout.write("\x1b[1G\x1b[0Kdownloaded\n")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("media")
    (folder / "shot.png").write_bytes(png())
    agents = {
        "reads": python_agent(READS, dialect="claude", env=["PICTURE"]),
        "draws": python_agent(DRAWS),
    }
    with running_server(folder, agents, PICTURE=str(folder / "shot.png")) as running:
        yield running


def test_screenshot_is_shown_and_its_base64_is_nowhere(server: Server, page: Page) -> None:
    session_id = server.invoke("reads")
    chat = open_session(page, server, session_id)
    card = chat.cards.filter(has_text="Read")
    expect(card).to_contain_text("OK")
    card.locator("summary").click()
    image = card.get_by_role("img", name="image/png")
    expect(image).to_be_visible()
    assert wait_for(lambda: image.evaluate("image => image.naturalWidth")) == SIZE

    letters = base64.b64encode(png())[:60].decode()
    assert answer_of(server, session_id) == "The buttonwort is red."
    shown = [run(server, "tail", session_id).stdout, page.content()]
    shown += [
        run(server, "export", session_id, "--format", form).stdout for form in ("markdown", "html")
    ]
    for text in shown:
        assert letters not in text
        assert "part: " not in text.lower()
        assert "The buttonwort is red." in text
    wait_for(lambda: finds(server, "buttonwort", session_id))
    assert not finds(server, letters, session_id)


def test_progress_is_one_line_in_its_last_state(server: Server, page: Page) -> None:
    session_id = server.invoke("draws")
    chat = open_session(page, server, session_id)
    assert chat.text() == "downloaded"
    shown = [run(server, "tail", session_id).stdout]
    shown += [
        run(server, "export", session_id, "--format", form).stdout for form in ("markdown", "html")
    ]
    for text in shown:
        assert "downloaded" in text
        assert "99.86" not in text
