"""`backup`, `rebuild`, and a start that refuses what is damaged."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pysqlite3
import pytest

from tests.cli.command import refused, run, started
from tests.server import PATIENCE_SECONDS, Server, python_agent, running_server, wait_for
from webapp.errors import SetupError
from webapp.keeper import lock as keeper_lock
from webapp.keeper.lock import KeeperLock
from webapp.store import in_use

AGENTS = {
    "say": python_agent("print(sys.stdin.read())"),
    "forever": python_agent("print('started')\nwhile True: time.sleep(0.05)"),
}


def damage(database: Path) -> None:
    """Garbage from the second page on."""
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def ids_in(database: Path) -> set[str]:
    """The sessions of a database that nobody uses."""
    connection = pysqlite3.connect(f"file:{database}?mode=ro", uri=True)
    found = {row[0] for row in connection.execute("SELECT id FROM sessions")}
    connection.close()
    return found


# --- backup ---------------------------------------------------------------------------


def test_backup_is_whole_while_the_server_works(place: Server) -> None:
    ended, live = place.invoke("say", "hi"), place.invoke("forever")
    place.wait_until_ended(ended)
    target = place.folder / "copy.db"
    output = run(place, "backup", str(target))
    assert output.returncode == 0, output
    assert str(target) in output.stdout
    assert {ended, live} <= ids_in(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in place.folder.glob("copy.db*")] == ["copy.db"]


def test_backup_finds_a_name_of_its_own(folder: Path) -> None:
    run(folder, "migrate")
    for _ in range(2):
        assert run(folder, "backup").returncode == 0
    assert len(list((folder / "var" / "backups").iterdir())) == 2


def test_backup_overwrites_nothing_and_leaves_no_half_copy(folder: Path) -> None:
    run(folder, "migrate")
    (folder / "precious").write_text("x")
    assert "is there already" in refused(run(folder, "backup", "precious"))
    refused(run(folder, "backup", "/no/such/folder/x.db"))
    damage(folder / "var" / "agent-stream.db")
    refused(run(folder, "backup", "copy.db"))
    assert sorted(path.name for path in folder.iterdir()) == ["precious", "var"]


def test_backup_of_nothing_is_refused(folder: Path) -> None:
    assert "no database" in refused(run(folder, "backup"))


# --- rebuild --------------------------------------------------------------------------


def test_rebuild_is_refused_while_a_server_runs(place: Server) -> None:
    assert "stop that first" in refused(run(place, "rebuild"))


def test_rebuild_waits_for_a_keeper_that_is_ending(folder: Path) -> None:
    run(folder, "migrate")
    database = folder / "var" / "agent-stream.db"
    damage(database)
    before = database.read_bytes()
    keeper = KeeperLock(folder / "var")
    assert keeper.acquire()
    with started(folder, "rebuild") as process:
        wait_for(lambda: in_use.is_used(folder / "var"))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        assert database.read_bytes() == before
        keeper.release()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert database.read_bytes() != before


def test_rebuild_does_not_wait_for_ever(tmp_path: Path) -> None:
    keeper = KeeperLock(tmp_path)
    assert keeper.acquire()
    with (
        pytest.raises(SetupError, match=r"still at work on its index and logs after 0\.1 s"),
        keeper_lock.alone(tmp_path, 0.1),
    ):
        pass
    keeper.release()
    with keeper_lock.alone(tmp_path, 0.1):
        assert keeper_lock.is_held(tmp_path)


@pytest.mark.parametrize("kind", ["damaged", "gone"])
def test_server_refuses_a_lost_database_and_goes_on_after_rebuild(folder: Path, kind: str) -> None:
    with running_server(folder, AGENTS, settings={"grace_seconds": 1}) as server:
        workflow_id = server.create_workflow()
        ended = server.invoke("say", "hi", workflow_id)
        live = server.invoke("forever", "", workflow_id)
        server.wait_until_ended(ended)
        wait_for(lambda: server.session(live)["status"] == "running")
        before = {one: server.session(one) for one in (ended, live)}
        server.stop()

        database = server.var / "agent-stream.db"
        if kind == "damaged":
            damage(database)
        else:
            database.unlink()
        message = refused(run(server, "serve"))
        assert "agent-stream rebuild" in message
        findings = map(json.loads, run(server, "doctor", "--json").stdout.splitlines())
        (finding,) = (one for one in findings if one["check"] == "database")
        assert finding["mark"] == "bad"
        assert "agent-stream rebuild" in finding["advice"]

        output = run(server, "rebuild")
        assert output.returncode == 0, output
        assert "2 row(s) and 1 workflow(s)" in output.stdout
        assert len(list(server.var.glob("*.damaged-*"))) == (kind == "damaged")

        server.start()
        for one in (ended, live):
            assert server.session(one) | {"logBytes": 0} == before[one] | {"logBytes": 0}
        assert server.invoke("say", "again", workflow_id)


def page_of(database: Path, name: str) -> int:
    """Where the first page of a table or an index begins in the file."""
    connection = pysqlite3.connect(database)
    query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    (number,) = connection.execute(query, (name,)).fetchone()
    assert connection.execute("PRAGMA page_size").fetchone() == (4096,)
    connection.close()
    return (int(number) - 1) * 4096


def test_damage_inside_the_database_stops_the_start(folder: Path) -> None:
    run(folder, "migrate")
    database = folder / "var" / "agent-stream.db"
    page = page_of(database, "messages_by_workflow")
    whole = bytearray(database.read_bytes())
    whole[page : page + 4096] = os.urandom(4096)  # the schema is whole, and says nothing
    database.write_bytes(whole)
    output = run(folder, "serve", AGENT_STREAM_PORT="0")
    assert output.returncode != 0
    assert "is damaged" in output.stdout + output.stderr
    assert "agent-stream rebuild" in output.stdout + output.stderr


def test_rebuild_of_a_whole_database_changes_nothing(folder: Path) -> None:
    run(folder, "migrate")
    output = run(folder, "rebuild")
    assert (output.returncode, "0 row(s)" in output.stdout) == (0, True)


def test_rebuild_says_which_logs_it_cannot_use(folder: Path) -> None:
    run(folder, "migrate")
    bad = folder / "var" / "sessions" / "2026-11-23" / "session-1795467840123-0123456789ab"
    bad.mkdir(parents=True)
    (bad / "output.log").write_bytes(b"garbage\n")
    output = run(folder, "rebuild")
    assert output.returncode == 1
    assert bad.name in output.stderr
