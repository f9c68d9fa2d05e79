"""Agents that run as a user of their own, by `run_as`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwnam
from typing import Any

import pytest

from tests.faults.surroundings import needs_root, row
from tests.security.unprivileged import WITHIN
from tests.server import HTTP, Server, running_server, wait_for, write_settings
from tests.sessions.machine import is_alive, kill, machine, processes_of
from webapp.agents.profiles import Profile
from webapp.sessions.reconcile import reconcile

pytestmark = needs_root

NOBODY = getpwnam("nobody")
TOKEN = "s3cret-token-of-the-server"


def agent(script: str, **options: Any) -> dict[str, Any]:
    """A shell script that runs as nobody, whose home folder is not there."""
    profile = {"command": ["/bin/sh", "-c", script], "run_as": "nobody", "cwd": "/tmp"}
    return profile | options


AGENTS = {
    "who": agent('id -u; id -g; id -G; echo "$HOME $USER"; pwd; umask'),
    "reader": agent("cat var/agent-stream.db; ls $VAR/sessions; cat $VAR/login.key; echo tried"),
    "streams": agent("echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"),
    "talk": agent("cat /dev/stdin", input=True, message="stdin"),
    "told": agent("cat /dev/stdin", message="stdin"),
    "stubborn": agent("setsid sleep 600 & trap '' TERM; echo up; sleep 601; sleep 602"),
    "spy": agent("cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c OTHER_API_KEY="),
    "other": {"command": ["/bin/sleep", "600"], "env": ["OTHER_API_KEY"]},
    "nowhere": agent("echo hi", cwd="/root"),
    "missing": {"command": ["./no-such-program"], "run_as": "nobody", "cwd": "/tmp"},
    "homeless": {"command": ["/bin/true"], "run_as": "nobody"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("run-as")
    for agent_ in AGENTS.values():
        agent_["command"] = [part.replace("$VAR", f"{folder}/var") for part in agent_["command"]]
    with running_server(
        folder,
        AGENTS,
        settings={"grace_seconds": 0.5},
        within=("setpriv", "--groups=4"),  # a group of the server's that no agent may keep
        AGENT_STREAM_TOKEN=TOKEN,
        OTHER_API_KEY="another-agent-its-key",
    ) as started:
        yield started


def printed(server: Server, agent: str, message: str = "") -> tuple[list[str], list[str]]:
    """What an agent printed, on both streams."""
    session_id = server.invoke(agent, message)
    server.wait_until_ended(session_id)
    url = f"{server.url}/api/sessions/{session_id}/log?stream="
    out, error = (HTTP.get(url + stream, headers=server.login) for stream in ("stdout", "stderr"))
    return out.text.splitlines(), error.text.splitlines()


def test_agent_is_that_user_with_its_groups_and_home(server: Server) -> None:
    groups = os.getgrouplist("nobody", NOBODY.pw_gid)
    said = printed(server, "who")[0]
    assert said[:2] == [str(NOBODY.pw_uid), str(NOBODY.pw_gid)]
    assert sorted(said[2].split()) == sorted(map(str, groups))
    assert said[3:5] == [f"{NOBODY.pw_dir} nobody", "/tmp"]


def test_agent_cannot_read_var(server: Server) -> None:
    out, error = printed(server, "reader")
    assert out == ["tried"]
    assert len(error) == 3


def test_agent_opens_its_streams_anew(server: Server) -> None:
    assert printed(server, "streams") == (["out"], ["err"])
    assert printed(server, "told", "read me") == (["read me"], [])


def test_agent_reads_what_it_is_sent(server: Server) -> None:
    session_id = server.invoke("talk", "first")
    value = {"sessionId": session_id, "content": "second", "end": True}
    server.call("session.sendInput", value).raise_for_status()
    server.wait_until_ended(session_id)
    url = f"{server.url}/api/sessions/{session_id}/log?stream=stdout"
    assert HTTP.get(url, headers=server.login).text == "first\nsecond\n"


def test_cancel_reaches_it_and_all_that_it_started(server: Server) -> None:
    session_id = server.invoke("stubborn")
    wait_for(lambda: len(processes_of([session_id])) == 3)
    started = processes_of([session_id])
    server.call("session.cancel", {"sessionId": session_id}).raise_for_status()
    ended = server.wait_until_ended(session_id)
    assert (ended["status"], ended["exitSignal"]) == ("cancelled", "SIGKILL")
    wait_for(lambda: not any(map(is_alive, started)))


def test_agents_of_two_users_do_not_see_each_other(server: Server) -> None:
    session_id = server.invoke("other")
    wait_for(lambda: processes_of([session_id]))
    assert printed(server, "spy")[0] == ["0"]


@pytest.mark.parametrize(
    ("agent", "error"),
    [
        ("nowhere", "cannot enter cwd '/root': Permission denied (as user 'nobody')"),
        ("homeless", f"cannot enter cwd '{NOBODY.pw_dir}': "),
        ("missing", "command not found: './no-such-program' (no such file) (as user 'nobody')"),
    ],
)
def test_agent_that_cannot_start_says_why(server: Server, agent: str, error: str) -> None:
    ended = server.wait_until_ended(server.invoke(agent))
    assert ended["status"] == "failed"
    assert ended["error"].startswith(error)


def test_runner_stays_the_servers_user(server: Server) -> None:
    session_id = server.invoke("stubborn")
    runner = wait_for(lambda: row(server, session_id)["runner_pid"])
    assert Path(f"/proc/{runner}").stat().st_uid == os.getuid()
    server.call("session.cancel", {"sessionId": session_id}).raise_for_status()


def test_what_a_killed_runner_leaves_is_ended(tmp_path: Path) -> None:
    profile = Profile("agent", ("/bin/sleep", "600"), run_as="nobody", cwd="/tmp")
    with machine(tmp_path, agents={"agent": profile}) as started:
        session = started.wait_until_running(started.invoke())
        kill(session.runner_pid)
        wait_for(lambda: not started.is_locked(session))
        assert reconcile(started.database, started.var, session).status == "lost"
        wait_for(lambda: not is_alive(session.pid))


@pytest.mark.parametrize(
    ("user", "within", "reason"),
    [
        ("no-such-user", (), "but this machine has no such user"),
        ("root", (), "which is root"),
        ("daemon", WITHIN, "may not switch users: it lacks CAP_KILL, CAP_SETGID, CAP_SETUID"),
        ("nobody", WITHIN, "which is the server's own user"),
        ("nobody", ("setpriv", "--bounding-set=-setuid"), "it lacks CAP_SETUID."),
    ],
)
def test_server_that_cannot_become_that_user_refuses_to_start(
    tmp_path: Path, user: str, within: tuple[str, ...], reason: str
) -> None:
    write_settings(tmp_path / "agent-stream.toml", {"x": {"command": ["true"], "run_as": user}})
    server = Server(tmp_path, 1, "gevent")
    server.command = [*within, *server.command]
    process = server.spawn()
    assert process.wait(60) == 2
    said = server.output.read_text()
    assert f"agents.x.run_as is '{user}', " in said
    assert reason in said
    assert "Traceback" not in said


def test_capabilities_do_instead_of_root_and_agents_get_none(tmp_path: Path) -> None:
    """`daemon` with the four capabilities runs agents as nobody; these have none."""
    daemon = getpwnam("daemon")
    capabilities = ("kill", "setgid", "setuid", "sys_ptrace", "dac_read_search")
    flags = ",".join(f"+{name}" for name in capabilities)
    within = (
        *("setpriv", f"--reuid={daemon.pw_uid}", f"--regid={daemon.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={flags}", f"--ambient-caps={flags}"),
    )
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, daemon.pw_uid, daemon.pw_gid)
    script = "id -u; grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status"
    agents = {"who": agent(script), "own": {"command": ["/bin/sh", "-c", script]}}
    try:
        with running_server(folder, agents, workers=1, within=within) as server:
            for name, user in (("who", NOBODY), ("own", daemon)):
                uid, *rights = printed(server, name)[0]
                assert int(uid) == user.pw_uid
                assert [int(line.split()[1], 16) for line in rights] == [0, 0, 0]
    finally:
        shutil.rmtree(folder)
