"""One log record as one line of each format."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from webapp.server_log import context
from webapp.server_log.formats import FORMATS, LineFormatter

SESSION = "session-1795467840123-k3v9x0a1b2c3"


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """As outside of any request."""
    tokens = context.request_id.set(None), context.session_id.set(None)
    yield
    context.request_id.reset(tokens[0])
    context.session_id.reset(tokens[1])


def line(form: str, message: str, *args: object, **attributes: Any) -> str:
    """What a record looks like."""
    record = logging.LogRecord("webapp.x", logging.WARNING, "x.py", 1, message, args, None)
    record.created = 1_795_467_840.123
    vars(record).update(attributes)
    formatter = LineFormatter(form, lambda text: text.replace("hunter2", "[redacted]"))
    return formatter.format(record)


def test_json_line_has_each_fact_under_its_name() -> None:
    context.begin_request("my-id")
    found = json.loads(line("json", 'a "%s"', "b\n", process=7, fields={"status": 200}))
    assert found == {
        "time": "2026-11-23T21:04:00.123Z",
        "level": "warning",
        "logger": "webapp.x",
        "pid": 7,
        "message": 'a "b\n"',
        "request": "my-id",
        "status": 200,
    }


def test_logfmt_line_quotes_what_needs_it() -> None:
    found = line("logfmt", 'a "b"\nc', process=7, fields={"path": "/x", "empty": ""})
    assert found == (
        "time=2026-11-23T21:04:00.123Z level=warning logger=webapp.x pid=7 "
        r'message="a \"b\"\nc" path=/x empty=""'
    )


def test_text_line_is_as_gunicorn_has_it_and_says_whom_it_is_about() -> None:
    context.begin_request("my-id")
    found = line("text", "cannot open the log of %s", SESSION, process=7)
    assert found == (
        "[2026-11-23 21:04:00 +0000] [7] [WARNING] cannot open the log of "
        f"{SESSION} request=my-id session={SESSION}"
    )


def test_session_of_the_request_goes_before_one_in_the_text() -> None:
    context.session_id.set("session-of-the-request")
    assert json.loads(line("json", SESSION))["session"] == "session-of-the-request"


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_traceback_is_part_of_the_one_line(form: str) -> None:
    try:
        raise ValueError("boom\nhunter2")
    except ValueError:
        found = line(form, "it failed", exc_info=sys.exc_info())
    assert "\n" not in found
    assert "ValueError: boom" in found
    assert "hunter2" not in found


@pytest.mark.parametrize("form", FORMATS)
def test_neither_secret_nor_query_reaches_a_line(form: str) -> None:
    url = "/api/agent-stream?workflowId=w&message=tell+nobody"
    found = line(form, "Error handling request %s %s: hunter2", "GET", url)
    assert "/api/agent-stream?…" in found
    assert "nobody" not in found
    assert "hunter2" not in found


@pytest.mark.parametrize("given", ["x", "a-b_c.d:e+f/g=h@i", "x" * 128])
def test_well_formed_id_is_taken(given: str) -> None:
    assert context.begin_request(given) == given == context.request_id.get()


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", 'a"b', "a\nb", "é"])
def test_other_id_is_replaced_by_a_new_one(given: str | None) -> None:
    made = context.begin_request(given)
    assert made != given
    assert len(made) == 16
    assert context.begin_request(given) != made


def test_new_request_knows_nothing_of_the_session_before() -> None:
    context.session_id.set(SESSION)
    context.begin_request(None)
    assert context.session_id.get() is None


HOSTILE = "/x\x1b[2J\x9b1m\u202e\x7f\x00\u200b"


@pytest.mark.parametrize("form", FORMATS)
def test_no_control_of_a_stranger_reaches_a_reader_of_the_log(form: str) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        found = line(form, "GET %s", HOSTILE, fields={"path": HOSTILE}, exc_info=sys.exc_info())
    assert not set(HOSTILE[2:]) & set(found) - set("[2J1m")
    assert r"/x\u001b[2J\u009b1m\u202e\u007f\u0000\u200b" in found


def test_escaped_json_line_says_the_same() -> None:
    assert json.loads(line("json", HOSTILE + "\U000e0041"))["message"] == HOSTILE + "\U000e0041"
