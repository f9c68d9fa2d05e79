"""`serve` and `migrate`."""

import os
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.cli.command import environment_for, refused, run
from tests.server import HTTP, PATIENCE_SECONDS, free_port, wait_for
from webapp.store.engine import REVISION


def is_ready(port: int) -> bool:
    try:
        return HTTP.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def serve(folder: Path, port: int, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    # -P, as the installed command has it: what lies in the current folder is not imported.
    with open(folder / f"{port}.log", "wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "webapp.cli", "serve", "--port", str(port), *options],
            cwd=folder,
            env=environment_for(folder) | {"AGENT_STREAM_WORKERS": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def stop(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()


def test_eight_servers_started_at_once_on_an_empty_folder_migrate_once(folder: Path) -> None:
    ports = [free_port() for _ in range(8)]
    with ExitStack() as stack:
        for port in ports:
            stack.callback(stop, serve(folder, port))
        for port in ports:
            wait_for(lambda port=port: is_ready(port))  # type: ignore[misc]

    assert run(folder, "migrate").stdout.startswith("up to date: ")
    assert all("Traceback" not in (folder / f"{port}.log").read_text() for port in ports)


def test_serve_says_where_to_look_and_stays_the_same_process(folder: Path) -> None:
    port = free_port()
    server = serve(folder, port)
    try:
        wait_for(lambda: is_ready(port))
        said = (folder / f"{port}.log").read_text()
        command = Path(f"/proc/{server.pid}/cmdline").read_bytes()
    finally:
        code = stop(server)

    assert f"http://127.0.0.1:{port}/\n" in said
    assert str(folder / "var") in said
    assert b"gunicorn" in command
    assert code == 0


def test_serve_does_not_import_a_webapp_in_the_current_folder(folder: Path) -> None:
    (folder / "webapp").mkdir()
    (folder / "webapp" / "__init__.py").write_text("raise SystemExit('the wrong webapp')")
    port = free_port()
    server = serve(folder, port)
    try:
        wait_for(lambda: is_ready(port) or server.poll() is not None)
        assert server.poll() is None, (folder / f"{port}.log").read_text()
    finally:
        stop(server)


def test_serve_raises_its_limit_of_open_files(folder: Path) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    port = free_port()
    server = serve(folder, port)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (256, hard))
    try:
        wait_for(lambda: is_ready(port))
        assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        stop(server)


def test_an_option_of_serve_wins_over_the_environment(folder: Path) -> None:
    port = free_port()
    server = serve(folder, port, AGENT_STREAM_PORT="1")
    try:
        wait_for(lambda: is_ready(port))
    finally:
        stop(server)


def test_a_port_in_use_is_refused_with_its_number(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(run(folder, "serve", "--port", str(port)))

    assert f"port {port} on 127.0.0.1 is in use" in said
    assert "--port or AGENT_STREAM_PORT" in said


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_var_that_cannot_be_written_is_refused(folder: Path, command: str) -> None:
    said = refused(run(folder, command, "--var", "/dev/null/x", AGENT_STREAM_PORT="0"))

    assert "/dev/null/x" in said
    assert "AGENT_STREAM_VAR" in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("port = [", "not valid TOML"),
        ("prot = 8000", "'prot'"),
        ("port = 'many'", "port is 'many'"),
        ("default_agent = 'nobody'", "'nobody'"),
        ("[agents.mine]\ncomand = ['x']", "'comand' in agents.mine"),
        ("[agents.demo]\ncwd = '/no/where'", "agents.demo.cwd is '/no/where'"),
        ("[projects.shop]\npath = '/no/where'", "projects.shop.path is '/no/where'"),
        ("project_roots = ['/no/where']", "project_roots is '/no/where'"),
    ],
)
def test_a_bad_settings_file_is_refused_with_its_key(
    folder: Path, content: str, named: str
) -> None:
    (folder / "agent-stream.toml").write_text(content)

    assert named in refused(run(folder, "serve"))


def test_a_bad_settings_file_is_refused_by_commands_that_read(folder: Path) -> None:
    (folder / "agent-stream.toml").write_text("prot = 8000")

    assert "'prot'" in refused(run(folder, "ls"))


def test_a_settings_file_that_is_not_there_is_refused(folder: Path) -> None:
    assert "nowhere.toml" in refused(run(folder, "serve", "--config", "nowhere.toml"))


def test_an_unknown_environment_variable_is_refused(folder: Path) -> None:
    assert "AGENT_STREAM_PROT" in refused(run(folder, "serve", AGENT_STREAM_PROT="8000"))


def test_an_address_beyond_loopback_is_refused_without_a_token(folder: Path) -> None:
    assert "AGENT_STREAM_TOKEN" in refused(run(folder, "serve", "--host", "0.0.0.0"))


def test_an_address_of_another_machine_is_refused(folder: Path) -> None:
    output = run(folder, "serve", "--host", "192.0.2.1", AGENT_STREAM_TOKEN="s3cret-token-of-tests")

    assert "choose another with --host" in refused(output)


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "agent-stream.db").write_text("this is no database" * 10)

    for command in ("serve", "migrate", "ls"):
        assert "is not a database" in refused(run(folder, command, AGENT_STREAM_PORT="0"))


def test_migrate_says_what_it_did(folder: Path) -> None:
    database = folder / "var" / "agent-stream.db"

    assert run(folder, "migrate").stdout == f"created {database} at revision {REVISION}\n"
    up_to_date = f"up to date: {database} is at revision {REVISION}\n"
    assert run(folder, "migrate").stdout == up_to_date


def test_commands_that_read_name_migrate_where_there_is_no_database(folder: Path) -> None:
    for command in (["ls"], ["show", "last"], ["tail", "last"], ["cancel", "last"]):
        assert "Run: agent-stream migrate" in refused(run(folder, *command))
    assert os.listdir(folder) == []


def test_a_wrong_option_is_refused_with_the_usage(folder: Path) -> None:
    output = run(folder, "serve", "--port", "many")

    assert output.returncode == 2
    assert "Usage: agent-stream serve" in output.stderr
    assert "'many' is not a valid integer" in output.stderr


COMMANDS = ["serve", "migrate", "ls", "show", "tail", "cancel", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples(folder: Path, command: str) -> None:
    output = run(folder, command, "--help")

    assert output.returncode == 0
    assert f"Usage: agent-stream {command}" in output.stdout
    assert "Example" in output.stdout


def test_help_names_the_commands_and_the_exit_codes(folder: Path) -> None:
    output = run(folder, "--help")

    assert all(f"\n  {command} " in output.stdout for command in COMMANDS)
    assert all(f"\n    {code} " in output.stdout for code in (0, 1, 2, 130, 141))


def test_the_version_is_printed(folder: Path) -> None:
    output = run(folder, "--version")

    assert output.returncode == 0
    assert output.stdout.startswith("agent-stream ")


def test_output_that_cannot_be_written_is_one_line_on_stderr(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        output = subprocess.run(
            [sys.executable, "-m", "webapp.cli", "doctor"],
            cwd=folder,
            env=environment_for(folder),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert output.returncode == 1
    assert output.stderr == "agent-stream: [Errno 28] No space left on device\n"
