"""The README against what it tells of: commands, options, settings, routes, procedures."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.readme import read_blocks
from tests.server import ROOT, Server, running_server
from webapp import settings
from webapp.cli import cli
from webapp.http.trpc.router import PROCEDURES

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = (
    "make curl sqlite3 agent-stream gunicorn rsync sudo npm npx pip pipx python docker asciinema"
)
SHELL_LINE = re.compile(rf"(?:[A-Z_]+=(?:\$\(|\S* ))*(?:{TOOLS.replace(' ', '|')})\b")

NOT_RUN = {
    "make run": "tests/cli/test_serve.py runs what it runs",
    "make test": "it is what runs this",
    "gunicorn -c": "tests/test_readme.py starts it, in a test of its own",
    "AGENT_STREAM_TOKEN=… ": "tests/deploy/test_nginx.py starts it so",
    "agent-stream run ": "tests/cli/test_run.py runs commands and agents so",
    "agent-stream attach ": "it is for a terminal: tests/cli/test_attach.py has one",
    "agent-stream export last --format jsonl |": "there is no machine elsewhere; see tests/cli",
    "rsync -a": "rsync is the reader's; where the logs lie is tested everywhere",
}
"""How a shell line begins that is not run as it stands, and the reason."""


# --- every shell line -------------------------------------------------------------------


def shell_commands() -> list[tuple[str, str]]:
    """Each line that is for a shell, put together where it goes on, with its chapter."""
    found = []
    for block in read_blocks():
        for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
            if SHELL_LINE.match(line):
                found.append((block.chapter, line))
    return found


def is_listed_command(block_chapter: str, line: str) -> bool:
    """Whether it is a row of the list of commands: a command, and what it does."""
    return block_chapter == "The command" and "   " in line and "#" not in line


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server's folder, with the commands of this checkout on the path."""
    folder = tmp_path_factory.mktemp("readme")
    programs = folder / "bin"
    programs.mkdir()
    command = programs / "agent-stream"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m webapp.cli "$@"\n')
    command.chmod(0o755)
    sudo = programs / "sudo"
    sudo.write_text("#!/bin/sh\ncat >/dev/null\n")  # what it would write is tested elsewhere
    sudo.chmod(0o755)
    return Server(folder, 2, "gevent")


def test_each_shell_line_runs_against_a_real_server(place: Server) -> None:
    lines = [
        line
        for chapter, line in shell_commands()
        if not is_listed_command(chapter, line) and not line.startswith(tuple(NOT_RUN))
    ]
    path = f"{place.folder / 'bin'}:{os.environ['PATH']}"
    with running_server(place.folder, workers=2) as server:
        script = "\n".join(_here(line, server) for line in lines)
        environment = server.environment | {"PATH": path}
        output = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", script],
            stdin=subprocess.DEVNULL,
            cwd=server.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert output.returncode == 0, output.stderr
    assert "event: done" in output.stdout
    assert "line 1 of 5" in output.stdout
    assert "succeeded" in output.stdout


def _here(line: str, server: Server) -> str:
    """A line as it can be run in a test: in its folder, at its port, without a terminal."""
    line = line.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    if line.startswith("agent-stream search "):
        line += " || [ $? -eq 1 ]"  # nothing matches here
    return line.replace("/mnt/elsewhere", ".").replace("-readonly -box", "-readonly -box -batch")


def test_each_line_that_is_not_run_is_in_the_readme() -> None:
    lines = [line for _chapter, line in shell_commands()]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []


def test_plain_gunicorn_line_starts_a_server(tmp_path: Path) -> None:
    ((_chapter, line),) = [found for found in shell_commands() if found[1].startswith("gunicorn")]
    server = Server(tmp_path, 1, "gevent")
    subprocess.run(
        [sys.executable, "-m", "webapp.cli", "migrate"], env=server.environment, check=True
    )
    _program, *arguments = shlex.split(line)
    command = [sys.executable, "-m", "gunicorn", *arguments]
    with subprocess.Popen(command, env=server.environment, cwd=tmp_path) as server.process:
        try:
            server.wait_until_ready()
        finally:
            server.stop()


@pytest.mark.parametrize("program", ["bash", "curl", "sqlite3"])
def test_program_of_the_readme_is_here(program: str) -> None:
    assert shutil.which(program) is not None, f"install it: sudo apt-get install {program}"


# --- commands and options ---------------------------------------------------------------


def mentions() -> set[str]:
    """Each `agent-stream …` of a block or a piece of code in the text, as it is typed."""
    found = set()
    for _chapter, line in shell_commands():
        typed = re.sub(r"\s#.*", "", line.partition("   ")[0])
        pieces = re.findall(r"agent-stream [a-z](?:[^|>()$&]|\$(?!\())*", typed)
        found |= {piece.strip() for piece in pieces}
    found |= set(re.findall(r"`(agent-stream [a-z][^`]*)`", README))
    return found


@pytest.mark.parametrize("mention", sorted(mentions()))
def test_command_of_the_readme_is_there_with_its_options(mention: str) -> None:
    _program, name, *words = shlex.split(mention)
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None, f"there is no command {name!r}"
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    words = words[: words.index("--")] if "--" in words else words
    given = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    assert given <= known | {"--help"}


def test_list_of_commands_is_that_of_the_help() -> None:
    listed = [
        line.split()[1] for chapter, line in shell_commands() if is_listed_command(chapter, line)
    ]
    assert sorted(listed) == sorted(cli.list_commands(click.Context(cli)))


# --- settings, routes, procedures -------------------------------------------------------


def table_rows(chapter: str) -> list[str]:
    """The first cell of each row of the tables of a chapter."""
    (text,) = re.findall(rf"^#+ {chapter}\n(.*?)(?=^#|\Z)", README, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)


def test_table_of_settings_is_that_of_the_server() -> None:
    listed = [name for row in table_rows("Settings") for name in re.findall(r"`([A-Z_]+)`", row)]
    known = [settings.PREFIX + key.upper() for key in settings._READERS]
    assert sorted(listed) == sorted([*known, f"{settings.PREFIX}CONFIG"])


def test_default_of_each_setting_is_the_one_that_is_told() -> None:
    told = dict(re.findall(r"^\| `AGENT_STREAM_([A-Z_]+)` \| `?([0-9a-z.]+)`? \|", README, re.M))
    defaults = settings.Settings()
    shown = {name: _shown(getattr(defaults, name.lower(), None)) for name in told}
    assert len(told) > 15
    assert {name: pair for name in told if (pair := (told[name], shown[name]))[0] != pair[1]} == {}


def _shown(default: object) -> str:
    """A default as the table has it."""
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_each_route_of_the_readme_is_one_of_the_server(server: Server) -> None:
    from webapp.app import create_app
    from webapp.settings import Settings

    app = create_app(Settings(var=server.var))
    rules = {
        (method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()
    }
    told = re.findall(r"`(GET|POST) (/[^?`\s\[]*)", README)
    assert len(told) > 10
    for method, path in told:
        rule = re.sub("<id>", "<session_id>", path)
        if path.startswith("/api/trpc/"):
            assert path.removeprefix("/api/trpc/") in PROCEDURES
        else:
            assert (method, rule) in rules, f"{method} {path}"


def test_table_of_procedures_is_that_of_the_server() -> None:
    listed = []
    for row in table_rows("tRPC"):
        names = re.findall(r"`([A-Za-z.]+)`", row)
        room = names[0].partition(".")[0]
        listed += [name if "." in name else f"{room}.{name}" for name in names]
    assert sorted(listed) == sorted(PROCEDURES)
