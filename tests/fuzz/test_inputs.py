"""What clients and operators send: tRPC input, the settings, the control socket."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.agents.machine import Machine, machine, shell
from tests.fuzz.budget import fuzz
from tests.http.client import Client
from tests.http.conftest import open_client
from webapp.errors import SetupError
from webapp.http.trpc.router import PROCEDURES
from webapp.settings import _READERS, Settings, load_settings
from webapp.store.models import Session

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "\0", "workflow-1795467840123-0123456789ab", "active", "chat"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KNOWN_FIELDS = (
    "workflowId",
    "sessionId",
    "message",
    "stageIndex",
    "agent",
    "requestId",
    "template",
    "initialMessage",
    "status",
    "limit",
    "cursor",
)
inputs = values | st.dictionaries(st.sampled_from(KNOWN_FIELDS), values, max_size=5)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker whose only agent cannot be started."""
    folder = tmp_path_factory.mktemp("fuzz")
    with open_client(folder, default_agent="missing", max_sessions=5) as opened:
        yield opened


@pytest.mark.parametrize("batch", [False, True])
def test_no_trpc_input_is_our_fault(client: Client, batch: bool) -> None:
    workflow_id = client.create_workflow()
    names = st.sampled_from([*PROCEDURES, "nothing", "__class__", "workflow.", ""])

    def check(name: str, value: object, is_post: bool, raw: bytes | None) -> None:
        if isinstance(value, dict) and "workflowId" in value and value["workflowId"] is None:
            value["workflowId"] = workflow_id
        value = {"0": value} if batch else value
        text = json.dumps(value).encode() if raw is None else raw
        path = f"/api/trpc/{name}" + (",nothing?batch=1" if batch else "")
        if is_post:
            response = client.http.post(path, data=text, content_type="application/json")
        else:
            response = client.http.get(
                path.partition("?")[0],
                query_string={"input": text, **({"batch": "1"} if batch else {})},
            )
        assert response.status_code < 500 or response.status_code == 503, response.data
        if name and response.mimetype == "application/json":
            response.get_json()
        response.close()  # of a subscription that was accepted

    fuzz(check, names, inputs, st.booleans(), st.none() | st.none() | st.binary(max_size=40))


# --- settings -------------------------------------------------------------------------


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


scalars = st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("demo")
toml_values = scalars | st.lists(scalars, max_size=3)
keys = st.sampled_from([*_READERS, "agents", "nothing", "agents.mine", '"a b"'])
tables = st.sampled_from(["[agents.mine]", "[agents.demo]", "[agents]", "[[agents]]", "[x]", ""])
profile_keys = st.sampled_from(
    ["command", "message", "env", "secrets", "cwd", "max_seconds", "max_log_bytes", "dialect", "x"]
)
files = st.builds(
    lambda top, table, below: "\n".join(
        [f"{key} = {_toml(value)}" for key, value in top]
        + [table]
        + [f"{key} = {_toml(value)}" for key, value in below]
    ).encode(),
    st.lists(st.tuples(keys, toml_values), max_size=3),
    tables,
    st.lists(st.tuples(profile_keys, toml_values), max_size=3),
) | st.binary(max_size=60)


def read_or_refused(environ: dict[str, str]) -> Settings | None:
    """The settings; None if they were refused with a reason. Nothing else may happen."""
    try:
        return load_settings(environ)
    except SetupError as error:
        if not error.message:
            raise
        return None


def test_any_settings_file_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        found = read_or_refused({"AGENT_STREAM_CONFIG": str(path)})
        assert found is None or found.default_agent in found.agents

    fuzz(check, files)


def test_any_variable_is_read_or_refused() -> None:
    def check(name: str, value: str) -> None:
        read_or_refused({f"AGENT_STREAM_{name.upper()}": value})

    fuzz(check, st.sampled_from([*_READERS, "config", "x"]), st.text(max_size=30))


# --- the control socket ---------------------------------------------------------------


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Session]]:
    """A session that lives through it."""
    with machine(tmp_path_factory.mktemp("control"), shell("sleep 600")) as started:
        yield started, started.wait_until_running(started.invoke())


def test_nothing_that_is_said_to_a_runner_ends_it(live: tuple[Machine, Session]) -> None:
    started, session = live
    directory = os.open(started.files(session).directory, os.O_PATH)
    requests = (
        st.binary(max_size=200)
        | values.map(lambda value: json.dumps(value).encode() + b"\n")
        | values.map(lambda value: json.dumps({"type": value}).encode() + b"\n")
    )

    def ask(request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"/proc/self/fd/{directory}/control.sock")
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(100_000)
            except (BrokenPipeError, ConnectionResetError):
                return b""

    def check(request: bytes) -> None:
        answer = ask(request)
        if answer:
            assert json.loads(answer)["ok"] is False

    fuzz(check, requests)
    os.close(directory)
    assert started.row(session).status == "running"
    assert started.is_locked(session)
