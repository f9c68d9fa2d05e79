"""What a runner is asked to run; afterwards it lies as `run.json` in the session's directory."""

from _json import encode_basestring_ascii, make_scanner


class _ScannerContext:
    """What `json.JSONDecoder` would hand to the C scanner.

    Importing `json` brings in `re` and `enum`: 5 ms and 1 MB more for each session.
    """

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str]


class Spec:
    """A session as its runner sees it; the field names are the keys of `run.json`."""

    sessionId: str  # noqa: N815
    workflowId: str  # noqa: N815
    stageIndex: int  # noqa: N815
    agent: str
    dialect: str | None = None
    """What its log's first record says of how its lines are to be read."""
    messages: str | None = None
    """What it says of messages: `pieces`, or None for whole ones."""
    argv: list[str]
    cwd: str
    host: str
    createdAt: str  # noqa: N815
    graceSeconds: float  # noqa: N815
    maxSeconds: float | None  # noqa: N815
    maxLogBytes: int | None  # noqa: N815
    maxLineBytes: int  # noqa: N815
    takesInput: bool  # noqa: N815
    runAs: dict[str, object] | None = None  # noqa: N815
    """The agent's user, where that is another one: see webapp/agents/run_as.py."""
    leaveBackground: bool = False  # noqa: N815
    """Whether what the agent started may outlive it."""
    hasAgentGate: bool  # noqa: N815
    database: str
    redactKeys: bool  # noqa: N815
    workflow: dict[str, object] | None
    """What its log needs to tell for the workflow's row to be made again from it."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.__dict__.update(fields)


def parse_json(text: str, *, whole: bool = False):  # type: ignore[no-untyped-def]
    """The value that a JSON text begins with, or with `whole` the value that it is.

    Raises StopIteration if there is none, ValueError, RecursionError.
    """
    context = _ScannerContext()
    context.memo = {}
    value, end = make_scanner(context)(text, 0)  # type: ignore[arg-type]
    if whole and end < len(text):
        raise ValueError(f"more than one JSON value: {text[end : end + 20]!r}")
    return value


def to_json(value: object) -> str:
    """A value as compact JSON; for the few types that system records are made of."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict):
        pairs = (f"{to_json(str(key))}:{to_json(item)}" for key, item in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    raise TypeError(f"no JSON for {type(value).__name__}")
