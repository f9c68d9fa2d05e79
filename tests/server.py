"""A real server for tests: gunicorn with several workers, a var folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests import fork_server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60.0
HTTP = httpx.Client(verify=False, timeout=30, limits=httpx.Limits(max_keepalive_connections=0))
"""A connection a request, as from many clients; making a TLS context for each takes 30 ms."""
SERVE = [sys.executable, "-m", "webapp.cli", "serve"]
Process = subprocess.Popen[bytes] | fork_server.Process
T = TypeVar("T")


def wait_for(condition: Callable[[], T], patience_seconds: float = PATIENCE_SECONDS) -> T:
    """The first true value of `condition()`; AssertionError when time is over."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < give_up_at, f"gave up waiting, last value: {value!r}"
        time.sleep(0.02)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_PRELUDE = """import sys, time
def print(*words, file=sys.stdout):
    file.write(" ".join(map(str, words)) + "\\n")"""


def python_agent(code: str, **options: Any) -> dict[str, Any]:
    """A profile that runs a piece of Python; `sys` and `time` are there.

    `print` writes a line at once and whole: Python's own writes the LF apart, and a machine
    that is busy may make a partial line of what comes before it.
    """
    command = [sys.executable, "-u", "-I", "-S", "-c", f"{_PRELUDE}\n{code}"]
    return {"command": command, "message": "stdin"} | options


def write_settings(path: Path, agents: dict[str, dict[str, Any]], **settings: Any) -> None:
    """An `agent-stream.toml` with these agents; a setting that is a dict is tables too."""
    groups = {"agents": agents}
    groups |= {key: value for key, value in settings.items() if isinstance(value, dict)}
    lines = [f"{key} = {_toml(value)}" for key, value in settings.items() if key not in groups]
    for group, tables in groups.items():
        for name, table in tables.items():
            lines += ["", f"[{group}.{name}]"]
            lines += [f"{key} = {_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    import json

    return json.dumps(value)  # the same syntax for texts, numbers, booleans and lists


class Server:
    """gunicorn as a child process; `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path, workers: int, worker_class: str, **environment: str) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / "server.log"
        self.process: Process | None = None
        self.command = SERVE
        self._is_forked = not any(name.startswith("PYTHON") for name in environment)
        self.environment = {
            **{key: value for key, value in os.environ.items() if "AGENT_STREAM" not in key},
            "AGENT_STREAM_HOST": "127.0.0.1",
            "AGENT_STREAM_PORT": str(self.port),
            "AGENT_STREAM_WORKERS": str(workers),
            "AGENT_STREAM_WORKER_CLASS": worker_class,
            "AGENT_STREAM_VAR": str(self.var),
            "AGENT_STREAM_DEBUG_HEADERS": "1",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        token = environment.get("AGENT_STREAM_TOKEN")
        self.login = {} if token is None else {"Authorization": f"Bearer {token}"}
        settings_file = folder / "agent-stream.toml"
        if settings_file.exists():
            self.environment["AGENT_STREAM_CONFIG"] = str(settings_file)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> Process:
        """Start it, and do not wait; a plain `serve` by the fork server.

        What Python itself reads as it starts needs a Python that starts.
        """
        with open(self.output, "ab") as output, open(os.devnull, "rb") as stdin:
            if self.command == SERVE and self._is_forked:
                fds = (stdin.fileno(), output.fileno(), output.fileno())
                self.process = fork_server.start(["serve"], self.folder, self.environment, fds)
                return self.process
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def wait_until_ready(self) -> None:
        """Until it answers."""
        wait_for(self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()
        try:
            return HTTP.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal the master and wait for its end; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def worker_pids(self) -> set[int]:
        """The workers that live now."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    # --- the API ----------------------------------------------------------------------

    def call(self, procedure: str, value: object, **headers: str) -> httpx.Response:
        """A tRPC mutation."""
        return HTTP.post(
            f"{self.url}/api/trpc/{procedure}",
            json=value,
            headers=self.login | headers,
            timeout=30,
        )

    def create_workflow(self, **fields: str) -> str:
        """A new workflow's id."""
        return str(_succeeded(self.call("workflow.create", fields)).json()["result"]["data"]["id"])

    def invoke(self, agent: str, message: str = "", workflow_id: str | None = None) -> str:
        """A new session's id."""
        return self.invoke_on(agent, message, workflow_id)[0]

    def invoke_on(
        self, agent: str, message: str = "", workflow_id: str | None = None
    ) -> tuple[str, int]:
        """A new session's id, and the pid of the worker that started it."""
        workflow_id = workflow_id or self.create_workflow()
        value = {"workflowId": workflow_id, "agent": agent, "message": message}
        answer = _succeeded(self.call("workflow.invokeAgent", value))
        return answer.json()["result"]["data"]["sessionId"], int(answer.headers["X-Worker-Pid"])

    def session(self, session_id: str) -> dict[str, Any]:
        """A session as the API shows it."""
        url = f"{self.url}/api/sessions/{session_id}"
        answer = HTTP.get(url, headers=self.login).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def wait_until_ended(self, session_id: str) -> dict[str, Any]:
        """The session's row, once it is not live any more."""

        def ended() -> dict[str, Any]:
            found = self.session(session_id)
            return {} if found["status"] in ("starting", "running") else found

        return wait_for(ended)

    def log_path(self, session_id: str) -> Path:
        """Where the session's log lies."""
        return self.var / str(self.session(session_id)["logPath"])


def _succeeded(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.status_code}: {answer.text}"
    return answer


@contextmanager
def running_server(
    folder: Path,
    agents: dict[str, dict[str, Any]] | None = None,
    *,
    workers: int = 2,
    worker_class: str = "gevent",
    settings: dict[str, Any] | None = None,
    within: Sequence[str] = (),
    **environment: str,
) -> Iterator[Server]:
    """A server in a folder, stopped at the end together with all that its agents left.

    `within`: a command that becomes the server.
    """
    write_settings(folder / "agent-stream.toml", agents or {}, **(settings or {}))
    server = Server(folder, workers, worker_class, **environment)
    server.command = [*within, *server.command]
    server.start()
    try:
        try:
            yield server
        finally:
            end_sessions(server)
    finally:
        server.stop()


def end_sessions(server: Server) -> None:
    """Cancel what still runs, so that no test leaves a process behind."""
    try:
        url = f"{server.url}/api/sessions?status=starting,running&limit=500"
        live = HTTP.get(url, headers=server.login).json()
        for session in live["sessions"]:
            url = f"{server.url}/api/sessions/{session['sessionId']}/cancel"
            HTTP.post(url, json={}, headers=server.login)
            server.wait_until_ended(session["sessionId"])
    except httpx.TransportError:
        return
