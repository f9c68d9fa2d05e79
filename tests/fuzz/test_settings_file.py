"""The settings: any file, any variable. Read, or refused with a reason."""

import json
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.budget import fuzz, mutated, mutations
from webapp.errors import SetupError
from webapp.settings import READERS, Settings, load_settings

VALID = b"""\
default_agent = "mine"
port = 8000
allowed_hosts = ["agents.example.org"]
grace_seconds = 2.5

[agents.mine]
command = ["my-agent", "--message={message}"]
input = true
env = ["MY_API_KEY"]
cwd = "/srv/project"
max_seconds = 3600
max_log_bytes = 1_000_000

[[templates.release.stages]]
name = "build"
gate = "agent"

[[templates.release.stages]]
name = "publish"
"""


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


scalars = st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("demo")
toml_values = scalars | st.lists(scalars, max_size=3)
keys = st.sampled_from([*READERS, "agents", "templates", "nothing", "agents.mine", '"a b"'])
AGENT_TABLES = ("[agents.mine]", "[agents.demo]", "[agents]", "[[agents]]", "[x]", "")
TEMPLATE_TABLES = ("[[templates.mine.stages]]", "[templates.mine]", "[templates]")
tables = st.sampled_from([*AGENT_TABLES, *TEMPLATE_TABLES, "[[templates.chat]]"])
AGENT_KEYS = ("command", "message", "env", "secrets", "cwd", "max_seconds", "max_log_bytes")
lower_keys = st.sampled_from([*AGENT_KEYS, "dialect", "input", "name", "type", "gate", "stages"])
made_up = st.builds(
    lambda top, table, below: "\n".join(
        [f"{key} = {_toml(value)}" for key, value in top]
        + [table]
        + [f"{key} = {_toml(value)}" for key, value in below]
    ).encode(),
    st.lists(st.tuples(keys, toml_values), max_size=3),
    tables,
    st.lists(st.tuples(lower_keys, toml_values), max_size=3),
)
files = made_up | st.binary(max_size=60) | st.builds(mutated, st.just(VALID), mutations)


def read_or_refused(environ: dict[str, str]) -> Settings | None:
    """The settings; None if they were refused with a reason. Nothing else may happen."""
    try:
        return load_settings(environ)
    except SetupError as error:
        if not error.message:
            raise
        return None


def test_file_that_is_changed_here_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(VALID)
    found = read_or_refused({"AGENT_STREAM_CONFIG": str(path)})
    assert found is not None
    assert found.default_agent == "mine"


def test_any_settings_file_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        found = read_or_refused({"AGENT_STREAM_CONFIG": str(path)})
        assert found is None or found.default_agent in found.agents

    fuzz(check, files, share=0.8)


def test_any_variable_is_read_or_refused() -> None:
    def check(name: str, value: str) -> None:
        read_or_refused({f"AGENT_STREAM_{name.upper()}": value})

    fuzz(check, st.sampled_from([*READERS, "config", "x"]), st.text(max_size=30), share=0.2)
