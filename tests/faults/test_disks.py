"""Disks that are full: real ones, very small."""

import json
from pathlib import Path

from tests.clients.event_source import texts_of
from tests.clients.viewer import watch
from tests.faults.surroundings import (
    Filler,
    folders,
    is_anything_left,
    needs_root,
    row,
    row_count,
    small_disk,
)
from tests.server import python_agent, running_server, wait_for
from webapp.log.record import parse_record

BLOCK = 4096
LINES = 500
LINE = "x" * 3 * BLOCK
"""Where no such line fits, many records of gaps would."""
CHATTY = python_agent(
    "import os\n"
    "print('before')\n"
    "go = sys.stdin.read()\n"
    "while not os.path.exists(go + '.full'): time.sleep(0.02)\n"
    f"for n in range({LINES}): print('lost', n, {LINE!r})\n"
    "open(go + '.printed', 'w').close()\n"
    "while not os.path.exists(go): time.sleep(0.02)\n"
    "print('after')\n"
    "sys.exit(3)"
)
WAITER = python_agent(
    "import os\ngo = sys.stdin.read()\nwhile not os.path.exists(go): time.sleep(0.02)\nsys.exit(5)"
)


@needs_root
def test_full_disk_of_the_logs_costs_a_gap_and_not_the_agent(folder: Path) -> None:
    go = folder / "go"
    disk = folder / "var" / "sessions"
    filler = Filler(disk)
    with small_disk(disk, "3m"), running_server(folder, {"chatty": CHATTY}) as server:
        session_id = server.invoke("chatty", str(go))
        log = server.log_path(session_id)
        wait_for(lambda: b"before" in log.read_bytes())
        filler.fill()
        filler.shrink(BLOCK)
        (folder / "go.full").touch()
        wait_for((folder / "go.printed").exists)  # the agent was never held up
        refused = server.call("workflow.invokeAgent", {"workflowId": server.create_workflow()})
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)

        filler.remove()
        go.touch()
        assert server.wait_until_ended(session_id)["exitCode"] == 3
        lines = log.read_bytes().split(b"\n")[:-1]
        records = [parse_record(line) for line in lines]
        assert None not in records
        told = [json.loads(line[40:]) for line in lines if line[30:40] == b" system F "]
        kinds = [content["type"] for content in told]
        assert kinds == ["session", "gap", "done"]
        kept = [record.content for record in records if record and record.stream == b"stdout"]
        assert kept[0] == b"before"
        assert kept[-1] == b"after"
        printed = sum(len(f"lost {n} {LINE}\n") for n in range(LINES))
        still_there = sum(len(line) + 1 for line in kept if line.startswith(b"lost"))
        assert told[1]["bytes"] == printed - still_there
        assert texts_of(watch(server.url, session_id))[-1] == "after"


@needs_root
def test_full_disk_of_the_database_starts_nothing_and_loses_no_end(folder: Path) -> None:
    go = folder / "go"
    var = folder / "var"
    filler = Filler(var)
    with (
        small_disk(var, "4m"),
        small_disk(var / "sessions", "4m"),
        running_server(folder, {"waiter": WAITER}) as server,
    ):
        session_id = server.invoke("waiter", str(go))
        wait_for(lambda: row(server, session_id)["status"] == "running")
        workflow_id = server.create_workflow()
        before = row_count(server), len(folders(server))
        use_up_the_log_of_the_database(var)
        filler.fill()

        value = {"workflowId": workflow_id, "agent": "waiter", "message": str(go)}
        refused = server.call("workflow.invokeAgent", value)
        assert refused.status_code == 503, refused.text
        assert "Retry-After" in refused.headers
        assert (row_count(server), len(folders(server))) == before

        go.touch()
        wait_for(lambda: not is_anything_left(session_id))
        assert watch(server.url, session_id)[-1].json()["exitCode"] == 5
        assert row(server, session_id)["status"] == "running"
        filler.remove()
        wait_for(lambda: row(server, session_id)["status"] == "failed", 5)
        assert row(server, session_id)["exit_code"] == 5


def use_up_the_log_of_the_database(var: Path) -> None:
    """Empty the WAL: what it once held would be written over, and need no room."""
    import pysqlite3

    connection = pysqlite3.connect(str(var / "agent-stream.db"), timeout=5, isolation_level=None)
    busy = wait_for(
        lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    )
    connection.close()
    assert busy
