"""Rules of the operator: what they match, and what they must not."""

import pytest

from webapp.runner.talk.rules import allows, denies, is_rule


@pytest.mark.parametrize(
    ("rule", "tool", "subject", "is_allowed"),
    [
        ("Read", "Read", "/etc/passwd", True),
        ("Read", "ReadMore", "/etc/passwd", False),
        ("Bash(git status)", "Bash", "git status", True),
        ("Bash(git status)", "Bash", "git status -s", False),
        ("Bash(echo $(date))", "Bash", "echo $(date)", True),  # just this text
        ("Bash(git log:*)", "Bash", "git log --oneline", True),
        ("Bash(git log:*)", "Bash", "git log", True),
        ("Bash(git log *)", "Bash", "git log -1", True),  # as newer Claudes suggest
        ("Bash(git log *)", "Bash", "git log -1; rm x", False),
        ("Bash(git log:*)", "Bash", "git logs", False),
        *(
            ("Bash(git log:*)", "Bash", f"git log {rest}", False)
            for rest in ("; rm x", "&& rm x", "| sh", "> x", "$(rm x)", "`rm x`", "\nrm x", "\\\nx")
        ),
        ("Edit(/srv/app/**)", "Edit", "/srv/app/a/b.py", True),
        ("Edit(/srv/app/**)", "Edit", "/srv/app/../other/b.py", False),
        ("Edit(/srv/app/**)", "Edit", "/srv/apple", False),
        ("not a rule", "not", "", False),
    ],
)
def test_rule_allows(rule: str, tool: str, subject: str, is_allowed: bool) -> None:
    assert allows([rule], tool, subject) is is_allowed


@pytest.mark.parametrize(
    ("rule", "subject", "is_denied"),
    [
        ("Bash(rm:*)", "rm -r x", True),
        ("Bash(rm:*)", "cd x && rm -r y", True),
        ("Bash(rm:*)", "echo $(rm x)", True),
        ("Bash(rm:*)", "echo `rm x`", True),
        ("Bash(rm:*)", "true\nrm x", True),
        ("Bash(rm:*)", "rmdir x", False),
        ("Bash", "anything", True),
    ],
)
def test_rule_denies(rule: str, subject: str, is_denied: bool) -> None:
    assert denies([rule], "Bash", subject) is is_denied


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("Read", True), ("Bash(ls)", True), ("Bash()", False), ("Bash(ls", False), ("a b", False)],
)
def test_rule_is_known_by_its_form(text: str, is_one: bool) -> None:
    assert is_rule(text) is is_one
