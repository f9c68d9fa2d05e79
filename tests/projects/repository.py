"""A git repository for tests."""

import subprocess
from pathlib import Path


def run_git(folder: Path, *arguments: str) -> str:
    """Run git as a person would, and return what it printed."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.rstrip("\n")


def make_repository(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A repository on branch `main` with one commit, or without any for no files."""
    folder.mkdir(parents=True, exist_ok=True)
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    run_git(folder, "config", "user.name", "Ann")
    run_git(folder, "config", "user.email", "ann@example.com")
    files = {"README": "A shop.\n"} if files is None else files
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if files:
        run_git(folder, "add", "--all")
        run_git(folder, "commit", "--quiet", "--message=Begin")
    return folder
