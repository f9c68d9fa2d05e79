"""Templates: the stages that a new workflow gets, each with the gate at its end.

A gate has to be open before the workflow can go on to the next stage:

* `auto` is open from the start;
* `human_approval` is opened by a person, and by nobody else;
* `agent` is opened by an agent of the stage that says so, or by a person.
"""

from dataclasses import dataclass

from webapp.errors import SetupError

CONVERSATIONS = ("stage", "workflow")
GATES = ("auto", "human_approval", "agent")
MAX_STAGES = 100
MAX_NAME_BYTES = 100


@dataclass(frozen=True)
class StageTemplate:
    """A stage as a new workflow gets it."""

    name: str
    type: str
    gate: str
    shares_conversation: bool = False
    """Whether an agent goes on here with the conversation that it held in other stages."""


BUILT_IN: dict[str, tuple[StageTemplate, ...]] = {
    "chat": (StageTemplate("chat", "chat", "auto"),),
    "standard": (
        StageTemplate("request", "request", "human_approval"),
        StageTemplate("design", "design", "human_approval"),
        StageTemplate("implementation", "implementation", "agent"),
        StageTemplate("verification", "verification", "human_approval"),
    ),
    "hotfix": (
        StageTemplate("fix", "implementation", "agent"),
        StageTemplate("verification", "verification", "human_approval"),
    ),
    "documentation": (
        StageTemplate("draft", "documentation", "agent"),
        StageTemplate("review", "review", "human_approval"),
    ),
}


def read_template(name: str, table: object, path: str) -> tuple[StageTemplate, ...]:
    """The stages of `[templates.<name>]` in a settings file; SetupError names the bad key."""
    key = f"templates.{name}"
    if not isinstance(table, dict):
        raise SetupError(f"{path}: {key} is {table!r}, expected a table.")
    for unknown in table.keys() - {"stages", "conversation"}:
        raise SetupError(
            f"{path}: unknown key {unknown!r} in {key}. Available: stages, conversation."
        )
    conversation = table.get("conversation", "stage")
    if conversation not in CONVERSATIONS:
        raise SetupError(
            f"{path}: {key}.conversation is {conversation!r}, "
            f"expected {' or '.join(CONVERSATIONS)}."
        )
    is_shared = conversation == "workflow"
    stages = table.get("stages")
    if not isinstance(stages, list) or not 1 <= len(stages) <= MAX_STAGES:
        raise SetupError(
            f"{path}: {key}.stages is {stages!r}, expected a list of 1 to {MAX_STAGES} tables "
            'such as {name = "design", gate = "human_approval"}.'
        )
    return tuple(
        _read_stage(f"{key}.stages[{index}]", stage, path, is_shared)
        for index, stage in enumerate(stages)
    )


def _read_stage(key: str, table: object, path: str, is_shared: bool) -> StageTemplate:
    if not isinstance(table, dict):
        raise SetupError(f"{path}: {key} is {table!r}, expected a table.")
    for unknown in table.keys() - {"name", "type", "gate"}:
        raise SetupError(f"{path}: unknown key {unknown!r} in {key}. Available: name, type, gate.")
    name = _read_name(f"{key}.name", table.get("name"), path)
    kind = _read_name(f"{key}.type", table.get("type", name), path)
    gate = table.get("gate", "auto")
    if gate not in GATES:
        raise SetupError(f"{path}: {key}.gate is {gate!r}, expected {' or '.join(GATES)}.")
    return StageTemplate(name, kind, gate, is_shared)


def _read_name(key: str, value: object, path: str) -> str:
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_NAME_BYTES:
        raise SetupError(
            f"{path}: {key} is {value!r}, expected a text of 1 to {MAX_NAME_BYTES} bytes."
        )
    return value
