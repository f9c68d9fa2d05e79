"""`doctor`."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Output, environment_for, run
from tests.cli.test_ls_and_show import kill_runner
from tests.server import Server
from webapp.commands.checks.data import file_system_of

Findings = dict[str, list[dict[str, str]]]


def findings_of(output: Output) -> Findings:
    found: Findings = {}
    for line in output.stdout.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["check"], []).append(finding)
    assert output.stderr == ""
    return found


def marks(found: Findings, check: str) -> list[str]:
    return [finding["mark"] for finding in found[check]]


def test_doctor_finds_nothing_bad_on_a_healthy_machine(place: Server) -> None:
    output = run(place, "doctor")

    assert output.returncode == 0, output.stdout
    assert "\nbad" not in output.stdout
    for check in (
        "python",
        "sqlite",
        "inotify",
        "open files",
        "var",
        "database",
        "retention",
        "agent demo",
    ):
        assert f"\nok    {check} " in output.stdout, check


def test_doctor_is_content_before_the_first_start_and_leaves_nothing_behind(folder: Path) -> None:
    output = run(folder, "doctor", "--json")

    assert output.returncode == 0
    assert marks(findings_of(output), "database") == ["hint"]
    assert os.listdir(folder) == []


def test_doctor_says_that_var_cannot_be_written(folder: Path) -> None:
    output = run(folder, "doctor", "--json", "--var", "/dev/null/x")

    assert output.returncode == 1
    (finding,) = findings_of(output)["var"]
    assert finding["mark"] == "bad"
    assert "/dev/null is no folder" in finding["message"]
    assert finding["advice"]


def test_doctor_warns_of_a_var_that_others_can_read(folder: Path) -> None:
    (folder / "var").mkdir(mode=0o755)
    found = findings_of(run(folder, "doctor", "--json"))

    assert marks(found, "var") == ["ok", "warn"]
    assert found["var"][1]["advice"] == f"chmod 700 {folder / 'var'}"


def test_doctor_finds_a_database_that_is_damaged(folder: Path) -> None:
    run(folder, "migrate")
    database = folder / "var" / "agent-stream.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    output = run(folder, "doctor", "--json")

    assert output.returncode == 1
    assert "bad" in marks(findings_of(output), "database")


def test_doctor_finds_a_database_that_is_not_migrated(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "agent-stream.db").touch()
    output = run(folder, "doctor", "--json")

    assert output.returncode == 1
    assert "agent-stream migrate" in findings_of(output)["database"][0]["advice"]


def test_doctor_reports_a_lost_session_and_leaves_it(place: Server) -> None:
    session_id = place.invoke("forever")
    kill_runner(place, session_id)
    for _again in range(2):
        output = run(place, "doctor", "--json")
        (finding,) = findings_of(output)["sessions"]
        assert finding["mark"] == "warn"
        assert session_id in finding["message"]
        assert output.returncode == 0

    run(place, "ls")
    assert marks(findings_of(run(place, "doctor", "--json")), "sessions") == ["ok"]


@pytest.mark.parametrize(
    ("settings", "check", "mark"),
    [
        ('[agents.mine]\ncommand = ["no-such-program"]', "agent mine", "warn"),
        ('default_agent = "mine"\n[agents.mine]\ncommand = ["no-such"]', "agent mine", "bad"),
        ('[agents.mine]\ncommand = ["sh"]\ncwd = "/no/such/folder"', "agent mine", "warn"),
        ('[agents.mine]\ncommand = ["sh"]', "agent mine", "ok"),
        ('[agents.mine]\ncommand = ["./agent-stream.toml"]', "agent mine", "warn"),
        ("", "agent choragen", "hint"),
        ('default_agent = "choragen"', "agent choragen", "bad"),
    ],
)
def test_doctor_looks_for_the_command_of_each_agent(
    folder: Path, settings: str, check: str, mark: str
) -> None:
    (folder / "agent-stream.toml").write_text(settings)
    output = run(folder, "doctor", "--json")

    findings = findings_of(output)
    assert marks(findings, check) == [mark]
    assert output.returncode == any(
        one["mark"] == "bad" for some in findings.values() for one in some
    )


def test_doctor_says_that_a_server_would_not_start_without_a_folder(folder: Path) -> None:
    settings = '[agents.mine]\ncommand = ["sh"]\ncwd = "/no/such/folder"'
    (folder / "agent-stream.toml").write_text(settings)
    output = run(folder, "doctor", "--json")

    assert marks(findings_of(output), "settings") == ["bad"]
    assert output.returncode == 1


def test_doctor_goes_on_after_settings_that_are_wrong(folder: Path) -> None:
    (folder / "agent-stream.toml").write_text("prot = 8000")
    output = run(folder, "doctor", "--json")
    found = findings_of(output)

    assert output.returncode == 1
    assert "'prot'" in found["settings"][0]["message"]
    assert marks(found, "python") == ["ok"]


def test_doctor_says_how_many_viewers_the_open_files_allow(folder: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "doctor", "--json"],
        cwd=folder,
        env=environment_for(folder),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 400)),
        capture_output=True,
        text=True,
    )
    (finding,) = findings_of(output)["open files"]

    assert finding["mark"] == "warn"
    assert "soft 300, hard 400" in finding["message"]
    assert "about 300 viewers" in finding["message"]


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/", "ext4"),
        ("/srv", "ext4"),
        ("/srv/data", "nfs4"),
        ("/srv/data/deep/down", "nfs4"),
        ("/srv/database", "ext4"),
        ("/mnt/two words", "fuse.sshfs"),
        ("/over", "xfs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(
    tmp_path: Path, place: str, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\n"
        "server:/data /srv/data nfs4 rw 0 0\n"
        "me@host: /mnt/two\\040words fuse.sshfs rw 0 0\n"
        "below /over tmpfs rw 0 0\n"
        "above /over xfs rw 0 0\n"
    )

    assert file_system_of(Path(place), mounts) == kind


def test_a_file_system_that_is_unknown_is_not_guessed(tmp_path: Path) -> None:
    assert file_system_of(Path("/"), tmp_path / "no-mounts") is None
