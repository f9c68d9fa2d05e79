"""Git as the server runs it: nothing of the repository's own is executed, and it is bounded."""

import os
import time
from pathlib import Path

import pytest

from tests.projects.repository import make_repository, run_git
from webapp.errors import ServiceUnavailable
from webapp.projects.git import GitError, git

NAMED_COMMANDS = (
    *("filter.f.clean", "filter.f.smudge", "filter.f.process", "filter.a=b.clean"),
    *("diff.d.command", "diff.d.textconv", "diff.external", "merge.m.driver", "gpg.program"),
    *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass"),
)
HOOKS = ("pre-commit", "post-commit", "post-checkout", "post-index-change", "pre-merge-commit")


@pytest.fixture(name="repository")
def a_repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop", {"a.txt": "one\n", "b.txt": "one\n"})


@pytest.fixture(name="trap")
def a_trap(repository: Path, tmp_path: Path) -> Path:
    """What exists once anything that the repository names was executed."""
    trap = tmp_path / "executed"
    attributes = "* filter=f diff=d merge=m\nb.txt filter=a=b\n"
    (repository / ".gitattributes").write_text(attributes)
    for name in NAMED_COMMANDS:
        run_git(repository, "config", name, f"touch {trap}; cat")
    run_git(repository, "config", "filter.f.required", "true")
    run_git(repository, "config", "commit.gpgSign", "true")
    for name in HOOKS:
        hook = repository / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    return trap


def test_nothing_that_a_repository_names_is_executed(repository: Path, trap: Path) -> None:
    git("checkout", "-b", "other", cwd=repository)
    (repository / "a.txt").write_text("two\n")
    assert b"a.txt" in git("status", "--porcelain", cwd=repository).output
    assert b"+two" in git("diff", cwd=repository).output
    git("add", "--all", cwd=repository)
    git("commit", "--message=Two", cwd=repository)
    assert b"+two" in git("show", cwd=repository).output
    git("checkout", "main", cwd=repository)
    (repository / "c.txt").write_text("three\n")
    git("add", "c.txt", cwd=repository)
    git("commit", "--message=Three", cwd=repository)
    git("merge", "--no-edit", "other", cwd=repository)
    assert (repository / "a.txt").read_text() == "two\n"
    assert not trap.exists()


def test_output_is_cut_at_the_limit(repository: Path) -> None:
    (repository / "a.txt").write_text("word\n" * 100_000)
    result = git("diff", cwd=repository, max_bytes=1000)
    assert (len(result.output), result.is_cut) == (1000, True)


def test_command_that_takes_too_long_is_ended(repository: Path) -> None:
    os.mkfifo(repository / "pipe")
    before = time.monotonic()
    with pytest.raises(ServiceUnavailable, match=r"git hash-object took longer than 0\.2 s"):
        git("hash-object", "pipe", cwd=repository, timeout=0.2)
    assert time.monotonic() - before < 10


def test_error_is_what_git_says(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="unknown revision"):
        git("log", "nowhere", cwd=repository)
    with pytest.raises(GitError, match="not a git repository"):
        git("status", cwd=tmp_path)
    with pytest.raises(GitError, match="The folder is not there"):
        git("status", cwd=tmp_path / "gone")


def test_transport_is_refused(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    with pytest.raises(GitError, match="not allowed"):
        git("fetch", f"ext::touch {trap}", cwd=repository)
    assert not trap.exists()
