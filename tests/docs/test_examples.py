"""README and documentation against the product: commands, options, settings, routes, procedures."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from tests.docs.blocks import ALL_TEXT, FOLDER, README, TEXTS, read_blocks
from tests.server import HTTP, ROOT, Server, running_server
from webapp.cli import cli
from webapp.docs.topics import TOPICS, anchor_of, read_topic
from webapp.http.trpc.router import PROCEDURES
from webapp.settings import load_settings

TOOLS = (
    "make curl sqlite3 agent-stream gunicorn rsync sudo npm npx pip pipx python docker asciinema "
    "eval .venv/bin/python export"
)
SHELL_LINE = re.compile(
    rf"(?:[A-Z_]+=(?:\$\(|\S* ))*(?:{'|'.join(map(re.escape, TOOLS.split()))})(?= |$)"
)

NOT_RUN = {
    "make run": "tests/cli/test_serve.py runs what it runs",
    "make test": "it is what runs this",
    "gunicorn -c": "a test below starts it",
    "export PATH": "the path is set by the test",
    "eval ": "tests/cli/test_completion.py completes",
    ".venv/bin/python -m tests.bench": "it measures speed: `make bench`",
    "agent-stream attach $(": "it is for a terminal: tests/cli/test_attach.py has one",
    "agent-stream approve last": "nothing waits here: tests/cli/test_conversations.py approves",
    "agent-stream send last": "the last session is no conversation: tests/cli/test_send.py sends",
    "agent-stream worktree merge": "there is no worktree here: tests/cli/test_projects.py has some",
    "agent-stream worktree keep": "the same",
    "agent-stream worktree discard": "the same",
    "agent-stream interrupt last": "no turn goes on: tests/cli/test_conversations.py ends one",
    "agent-stream replay last": "tests/cli/test_replay.py plays",
    "AGENT_STREAM_TOKEN=… ": "tests/deploy/test_nginx.py starts it so",
    "agent-stream run --": "tests/cli/test_run.py runs commands and agents so",
    "agent-stream export last --format jsonl |": "there is no machine elsewhere; see tests/cli",
    "rsync -a": "rsync is the reader's; where the logs lie is tested everywhere",
}
"""How a shell line begins that is not run as it stands, and the reason."""


# --- every shell line -------------------------------------------------------------------


def shell_commands() -> list[tuple[str, str]]:
    """Each line that is for a shell, put together where it goes on, with its topic."""
    found = []
    for block in read_blocks():
        for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
            if SHELL_LINE.match(line):
                found.append((block.topic, line))
    return found


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
    lines = [line for _topic, line in shell_commands() if not line.startswith(tuple(NOT_RUN))]
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


def test_sample_of_a_stream_is_what_a_server_sends(server: Server) -> None:
    (sample,) = [block.text for block in read_blocks() if "\nretry: " in block.text]
    sample = sample[sample.index("retry: ") :]
    session_id = server.invoke("demo", "count 5 200")
    stream = HTTP.get(f"{server.url}/api/agent-stream?sessionId={session_id}").text
    beginning, end = (_shape(part) for part in sample.split("…\n"))
    shape = _shape(stream)
    assert shape[: len(beginning)] == beginning
    assert shape[-len(end) :] == end


def _shape(stream: str) -> list[tuple[str, object]]:
    """The fields of events in order, without the values that differ from run to run."""
    shape: list[tuple[str, object]] = []
    for name, value in re.findall(r"^(\w+): (.+)$", stream, re.MULTILINE):
        if name == "data":
            varies = {"sessionId", "workflowId", "pid", "startedAt"}
            pairs = json.loads(value).items()
            shape.append((name, [(key, ... if key in varies else val) for key, val in pairs]))
        else:
            shape.append((name, value if name == "event" else ...))
    return shape


def test_each_line_that_is_not_run_is_in_the_documentation() -> None:
    lines = [line for _topic, line in shell_commands()]
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []


def test_plain_gunicorn_line_starts_a_server(tmp_path: Path) -> None:
    ((_topic, line),) = [found for found in shell_commands() if found[1].startswith("gunicorn")]
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
    for _topic, line in shell_commands():
        typed = re.sub(r"\s#.*", "", line)
        pieces = re.findall(r"agent-stream [a-z](?:[^|>()$&]|\$(?!\())*", typed)
        found |= {piece.strip() for piece in pieces}
    found |= set(re.findall(r"`(agent-stream [a-z][^`\n]*)`", ALL_TEXT))
    return found


@pytest.mark.parametrize("mention", sorted(mentions()))
def test_command_of_the_documentation_exists_with_its_options(mention: str) -> None:
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
    listed = re.findall(r"^\| `agent-stream ([a-z-]+)` \|", TEXTS["commands"], re.MULTILINE)
    assert listed == cli.list_commands(click.Context(cli))


def test_each_target_of_make_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)`", ALL_TEXT)) <= targets


# --- settings, routes, procedures, links ------------------------------------------------


def test_each_variable_of_the_documentation_is_a_setting() -> None:
    named = set(re.findall(r"\bAGENT_STREAM_[A-Z_]+\b(?!…|\*)", ALL_TEXT)) - {"AGENT_STREAM_"}
    table = set(re.findall(r"^\| `(AGENT_STREAM_[A-Z_]+)` ", read_topic("settings").text, re.M))
    assert len(table) > 20
    assert named <= table


@pytest.mark.parametrize(
    "text", [block.text for block in read_blocks() if block.language == "toml"]
)
def test_each_piece_of_a_settings_file_is_taken(text: str, tmp_path: Path) -> None:
    tomllib.loads(text)
    path = tmp_path / "agent-stream.toml"
    path.write_text(text, encoding="utf-8")
    load_settings({"AGENT_STREAM_CONFIG": str(path)})


@pytest.mark.parametrize("name", ["README", *TOPICS])
def test_each_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        if "://" in target:
            continue
        path, _hash, anchor = target.partition("#")
        topic = Path(path).stem if path else name
        folder = ROOT if name == "README" else FOLDER
        assert (folder / path).exists(), target
        if anchor:
            assert anchor in {section.anchor for section in read_topic(topic).sections}, target


def test_readme_is_one_page() -> None:
    assert len(README.splitlines()) <= 160
    assert anchor_of("How a session flows") in {
        anchor_of(heading) for heading in re.findall(r"^## (.*)$", README, re.MULTILINE)
    }


def test_each_route_of_the_documentation_is_one_of_the_server(server: Server) -> None:
    from webapp.app import create_app
    from webapp.settings import Settings

    app = create_app(Settings(var=server.var))
    rules = {
        (method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()
    }
    named = re.findall(r"`(GET|POST) (/[^?`\s\[]*)", ALL_TEXT)
    assert len(named) > 10
    for method, path in named:
        rule = path.replace("<id>", "<session_id>").replace("<approvalId>", "<approval_id>")
        if path.startswith("/api/trpc/"):
            assert path.removeprefix("/api/trpc/") in PROCEDURES
        else:
            assert (method, rule) in rules, f"{method} {path}"


def test_table_of_procedures_is_that_of_the_server() -> None:
    listed = []
    for row in re.findall(r"^\| (`.*?) \|", TEXTS["trpc"], re.MULTILINE):
        names = re.findall(r"`([A-Za-z.]+)`", row)
        room = names[0].partition(".")[0]
        listed += [name if "." in name else f"{room}.{name}" for name in names]
    assert sorted(listed) == sorted(PROCEDURES)
