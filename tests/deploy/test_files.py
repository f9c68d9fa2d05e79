"""What `agent-stream deploy` prints, as far as the programs that read it can be asked here."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import refused, run
from tests.nginx import PATH

FILES = ("systemd", "nginx", "docker", "litestream")


def printed(folder: Path, what: str, *options: str) -> str:
    """A file."""
    output = run(folder, "deploy", what, *options)
    assert (output.returncode, output.stderr) == (0, "")
    return output.stdout


@pytest.mark.parametrize("what", FILES)
def test_file_says_what_to_do_with_it_and_has_no_blank_left(folder: Path, what: str) -> None:
    text = printed(folder, what)
    assert text.startswith("# ")
    assert f"agent-stream deploy {what}" in text
    assert not [line for line in text.splitlines() if "{v" in line or "{u" in line]


def test_unit_keeps_agents_alive_and_names_this_installation(folder: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(printed(folder, "systemd"))
    service = unit["Service"]
    assert service["KillMode"] == "process"
    assert service["ExecStart"] == f"{Path(sys.executable).with_name('agent-stream')} serve"
    assert service["WorkingDirectory"] == str(folder)
    assert f"AGENT_STREAM_VAR={folder / 'var'}" in printed(folder, "systemd")


def test_unit_can_take_the_token_from_a_credential(folder: Path) -> None:
    lines = printed(folder, "systemd").splitlines()
    assert "#LoadCredential=token:/etc/agent-stream.token" in lines
    assert "#Environment=AGENT_STREAM_TOKEN_FILE=%d/token" in lines
    assert '#   env_files = { ANTHROPIC_API_KEY = "$CREDENTIALS_DIRECTORY/anthropic" }' in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_unit(folder: Path) -> None:
    unit = folder / "agent-stream.service"
    unit.write_text(printed(folder, "systemd"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    output = subprocess.run(command, capture_output=True, text=True)
    about_it = [line for line in output.stderr.splitlines() if "agent-stream" in line]
    assert about_it == []


def test_nginx_finds_nothing_wrong_with_the_site(folder: Path) -> None:
    site = printed(folder, "nginx", "--server-name", "localhost")
    program = shutil.which("nginx", path=PATH)
    assert program is not None, "run: make commands"
    lines = [line for line in site.splitlines() if "ssl" not in line.partition("#")[0]]
    (folder / "site.conf").write_text("\n".join(lines))
    main = f"pid {folder}/pid; events {{}} http {{ access_log off; include {folder}/site.conf; }}"
    (folder / "nginx.conf").write_text(main)
    command = [program, "-t", "-e", f"{folder}/log", "-c", f"{folder}/nginx.conf"]
    output = subprocess.run(command, capture_output=True, text=True)
    assert output.returncode == 0, output.stderr


def test_dockerfile_copies_what_it_built_and_runs_as_nobody_special(folder: Path) -> None:
    steps = [line.split() for line in printed(folder, "docker").splitlines() if line[:1].isupper()]
    words = [step[0] for step in steps]
    assert words.count("FROM") == 2
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert ["ENTRYPOINT", '["tini",', '"--",', '"agent-stream"]'] in steps
    assert ["USER", "agents"] in steps


def test_path_that_would_mean_something_else_there_is_refused(folder: Path) -> None:
    said = refused(run(folder, "deploy", "nginx", "--var", f"{folder}/my var; root /"))
    assert "my var; root" in said
    assert "white space" in said


def test_server_name_that_would_mean_something_else_is_refused(folder: Path) -> None:
    assert "server_name" in refused(run(folder, "deploy", "nginx", "--server-name", "a; b"))
    said = refused(run(folder, "deploy", "nginx", "--prefix", "/a; b"))
    assert "--prefix is '/a; b', expected a path" in said
