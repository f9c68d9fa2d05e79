"""The runner's own records have their place in every list that has to know them."""

import ast
import re

import pytest

from tests.server import ROOT
from webapp.log.system_records import CONVERSATION

WEBAPP = ROOT / "webapp"
TRANSCRIPT = "static/js/transcript"
NOT_IN_A_ROW = {"conversation_lost", "user_message", "user_message_state", "plan"}


@pytest.mark.parametrize(
    ("file", "others"),
    [
        ("log/conversation.py", {"plan"}),
        ("runner/talk/conversation_row.py", NOT_IN_A_ROW),
        ("commands/conversation_parts.py", set()),
        (f"{TRANSCRIPT}/apply_event.js", set()),
        ("docs/events.md", set()),
    ],
)
def test_each_record_of_a_conversation_is_known(file: str, others: set[str]) -> None:
    assert CONVERSATION - others <= quoted_in(file)


def test_each_notice_that_a_runner_writes_has_words_on_the_page() -> None:
    files = [*(WEBAPP / "runner").rglob("*.py"), WEBAPP / "sessions" / "log_end.py"]
    written = {name for file in files for name in appended_in(file.read_text(encoding="utf-8"))}
    notices = written - CONVERSATION
    assert len(notices) > 5
    assert notices <= quoted_in(f"{TRANSCRIPT}/notices.js")


def quoted_in(file: str) -> set[str]:
    """The words in quotes or code marks in a file."""
    return set(re.findall(r"[\"`](\w+)[\"`]", (WEBAPP / file).read_text(encoding="utf-8")))


def appended_in(source: str) -> set[str]:
    """The types of the records that a module appends to a log."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    records = [
        argument
        for call in calls
        if ast.unparse(call.func).endswith(("append", "append_system"))
        for argument in call.args
        if isinstance(argument, ast.Dict)
    ]
    return {
        str(value.value)
        for record in records
        for key, value in zip(record.keys, record.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "type" and isinstance(value, ast.Constant)
    }
