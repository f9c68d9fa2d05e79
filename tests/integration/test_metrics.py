"""`/metrics` of real workers: any of them tells the numbers of all, whoever was killed."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pysqlite3
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.store.engine import FILE_NAME

LINES = 40
AGENTS = {
    "lines": python_agent(f"for n in range({LINES}): print(n); time.sleep(0.005)"),
    "quiet": {"command": ["sleep", "600"], "message": "stdin"},
}
Numbers = Counter[tuple[str, ...]]


def scrape(server: Server) -> Numbers:
    """Each number by its name and labels."""
    answer = HTTP.get(f"{server.url}/metrics", headers=server.login).raise_for_status()
    return Counter(
        {
            (sample.name.removeprefix("agent_stream_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
    )


def watch(server: Server, session_id: str) -> tuple[int, int]:
    """How many events and bytes a viewer gets, what the response begins with left out."""
    url = f"{server.url}/api/agent-stream?sessionId={session_id}"
    body = HTTP.get(url, headers=server.login, timeout=60).raise_for_status().content
    _retry, _newline, rest = body.partition(b"\n")
    return rest.count(b"\nevent: "), len(rest)


def kill_a_worker(server: Server) -> None:
    before = server.worker_pids()
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(server.worker_pids() - before) == 1)


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_what_all_workers_sent_is_counted_to_the_byte_though_workers_are_killed(
    folder: Path, worker_class: str
) -> None:
    with running_server(folder, AGENTS, worker_class=worker_class) as server:
        workflow_id = server.create_workflow()
        events = size = 0
        for _round in range(3):
            session_id = server.invoke("lines", workflow_id=workflow_id)
            with ThreadPoolExecutor(6) as threads:
                seen = list(threads.map(lambda _: watch(server, session_id), range(6)))  # noqa: B023
            assert {count for count, _size in seen} == {LINES + 2}
            events += sum(count for count, _size in seen)
            size += sum(size for _count, size in seen)
            wait_for(lambda: scrape(server)["events_sent_total",] == events)  # noqa: B023
            kill_a_worker(server)

        found = wait_for(lambda: scrape(server))
        assert (found["events_sent_total",], found["bytes_sent_total",]) == (events, size)
        assert found["invoke_seconds_count",] == 3
        assert found["sessions", "succeeded"] == 3
        assert found["requests_total", "GET", "/api/agent-stream", "200"] == 18


def test_no_counter_of_any_worker_s_answer_ever_goes_down(folder: Path) -> None:
    with running_server(folder, AGENTS, workers=3) as server:
        server.wait_until_ended(server.invoke("lines"))
        last = scrape(server)
        for _ in range(4):
            kill_a_worker(server)
            for _ in range(6):
                found = scrape(server)
                fallen = [name for name in last if "_total" in name[0] and found[name] < last[name]]
                assert fallen == []
                last = found
        wait_for(lambda: scrape(server)["workers",] == 3)


def test_open_streams_are_those_of_workers_that_live(folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        session_id = server.invoke("quiet")
        url = f"{server.url}/api/agent-stream?sessionId={session_id}"
        with httpx.Client(verify=False, timeout=60) as client:
            streams = [client.send(client.build_request("GET", url), stream=True) for _ in "12345"]
            wait_for(lambda: scrape(server)["streams_open", "session"] == 5)
            served = Counter(int(stream.headers["X-Worker-Pid"]) for stream in streams)
            victim = min(served)
            os.kill(victim, signal.SIGKILL)
            left = 5 - served[victim]
            wait_for(lambda: scrape(server)["streams_open", "session"] == left)
            for stream in streams:
                stream.close()
        wait_for(lambda: scrape(server)["streams_open", "session"] == 0)


def test_runner_that_was_killed_is_counted(folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        session_id = server.invoke("quiet")
        wait_for(lambda: server.session(session_id)["pid"])
        with closing(pysqlite3.connect(server.var / FILE_NAME)) as connection:
            (runner_pid,) = connection.execute("SELECT runner_pid FROM sessions").fetchone()
        os.kill(runner_pid, signal.SIGKILL)
        assert server.wait_until_ended(session_id)["status"] == "lost"
        assert scrape(server)["runner_failures_total", "lost"] == 1


def test_metrics_are_for_who_has_the_token(folder: Path) -> None:
    with running_server(folder, workers=1, AGENT_STREAM_TOKEN="s3cret-token-of-tests") as server:
        assert HTTP.get(f"{server.url}/metrics").status_code == 401
        assert scrape(server)["requests_total", "GET", "/metrics", "401"] == 1
