"""What a runner is asked to run; afterwards it lies as `run.json` in the session's directory."""


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
    maxEventBytes: int  # noqa: N815
    takesInput: bool  # noqa: N815
    runAs: dict[str, object] | None = None  # noqa: N815
    """The agent's user, where that is another one: see webapp/agents/run_as.py."""
    leaveBackground: bool = False  # noqa: N815
    """Whether what the agent started may outlive it."""
    hasAgentGate: bool  # noqa: N815
    database: str
    talk: dict[str, object] | None = None
    """How the agent holds a conversation, where it does: see webapp/runner/talk."""
    remembers: dict[str, object] | None = None
    """Of an agent of one message that can go on with a conversation: `conversationId` and
    `resumedFrom`, which are None at first."""
    redactKeys: bool  # noqa: N815
    workflow: dict[str, object] | None
    """What its log needs to tell for the workflow's row to be made again from it."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.__dict__.update(fields)
