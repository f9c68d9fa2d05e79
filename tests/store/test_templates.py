"""The operator's own templates, and the errors of bad ones."""

from pathlib import Path

import pytest

from webapp.errors import SetupError
from webapp.settings import load_settings
from webapp.store.templates import BUILT_IN, StageTemplate


def load(tmp_path: Path, text: str) -> dict[str, tuple[StageTemplate, ...]]:
    """The templates of a settings file with this text."""
    path = tmp_path / "agent-stream.toml"
    path.write_text(text)
    return dict(load_settings({"AGENT_STREAM_CONFIG": str(path)}).templates)


def test_operator_adds_templates_and_replaces_built_in_ones(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
        [templates.release]
        stages = [
            {name = "build", type = "implementation", gate = "agent"},
            {name = "publish", gate = "human_approval"},
            {name = "tell"},
        ]
        [[templates.chat.stages]]
        name = "talk"
        """,
    )
    assert found["release"] == (
        StageTemplate("build", "implementation", "agent"),
        StageTemplate("publish", "publish", "human_approval"),
        StageTemplate("tell", "tell", "auto"),
    )
    assert found["chat"] == (StageTemplate("talk", "talk", "auto"),)
    assert found["standard"] == BUILT_IN["standard"]


def test_stages_of_a_template_may_share_a_conversation(tmp_path: Path) -> None:
    found = load(tmp_path, '[templates.x]\nconversation = "workflow"\nstages = [{name = "a"}]')
    assert [stage.shares_conversation for stage in found["x"]] == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("templates = 7", "templates is 7"),
        ("[templates]\nx = 7", "templates.x is 7"),
        ("[templates.x]", "templates.x.stages is None"),
        ("[templates.x]\nstages = []", r"templates.x.stages is \[\]"),
        (
            "[templates.x]\nconversation = 'none'\nstages = [{name = 'a'}]",
            "templates.x.conversation is 'none', expected stage or workflow",
        ),
        ("[templates.x]\nsteps = []", "unknown key 'steps' in templates.x"),
        ("[templates.x]\nstages = ['a']", r"templates.x.stages\[0\] is 'a'"),
        ("[templates.x]\nstages = [{}]", r"templates.x.stages\[0\].name is None"),
        ("[templates.x]\nstages = [{name = ''}]", r"stages\[0\].name is ''"),
        ("[templates.x]\nstages = [{name = 'a'}, {name = 7}]", r"stages\[1\].name is 7"),
        ("[templates.x]\nstages = [{name = 'a', type = 7}]", r"stages\[0\].type is 7"),
        ("[templates.x]\nstages = [{name = 'a', gate = 'none'}]", r"gate is 'none', expected auto"),
        ("[templates.x]\nstages = [{name = 'a', gates = 1}]", "unknown key 'gates'"),
    ],
)
def test_bad_template_stops_the_start_and_names_its_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(SetupError, match=message):
        load(tmp_path, text)
