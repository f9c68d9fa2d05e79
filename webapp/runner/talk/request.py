"""What an agent asks a person for, and what was decided."""

MAX_TITLE_LETTERS = 300

OUTCOMES = {
    "allow_once": "allowed",
    "allow_session": "allowed",
    "answer": "answered",
    "deny": "denied",
    "deny_and_stop": "denied",
}
"""By the kind of the option that was chosen."""
LABELS = {
    "allow_once": "Allow once",
    "allow_session": "Allow for this session",
    "deny": "Deny",
    "deny_and_stop": "Deny and stop",
}
TOOL_OPTIONS = [{"id": kind, "kind": kind, "label": label} for kind, label in LABELS.items()]
QUESTION_OPTIONS = [
    {"id": "answer", "kind": "answer", "label": "Answer"},
    {"id": "deny", "kind": "deny", "label": "Skip"},
]


class Request:
    """What an agent asks for, in its own words. The input is never redacted here."""

    def __init__(
        self,
        key: object,
        kind: str,
        tool: str,
        title: str,
        input: dict[str, object],
        *,
        call_id: str | None = None,
        options: list[dict[str, str]] | None = None,
        questions: list[dict[str, object]] | None = None,
        may_change_input: bool = False,
        may_explain: bool = False,
        subject: str = "",
        session_rules: list[str] | None = None,
        facts: dict[str, object] | None = None,
        data: object = None,
    ) -> None:
        """`key`: the agent's own id of it, which it may use again. `subject`: its command, path
        or URL, for rules. `session_rules`: what "for this session" allows from now on. `facts`:
        further fields of its record. `data`: what the protocol needs to answer."""
        self.key = key
        self.kind = kind
        self.tool = tool
        is_long = len(title) > MAX_TITLE_LETTERS
        self.title = f"{title[: MAX_TITLE_LETTERS - 1]}…" if is_long else title
        self.input = input
        self.call_id = call_id
        usual = TOOL_OPTIONS if questions is None else QUESTION_OPTIONS
        self.options = usual if options is None else options
        self.questions = questions
        self.may_change_input = may_change_input
        self.may_explain = may_explain
        self.subject = subject
        self.session_rules = session_rules or []
        self.facts = facts or {}
        self.data = data

    def option_of_kind(self, *kinds: str) -> dict[str, str] | None:
        """The first option of one of these kinds, in their order."""
        return next((o for kind in kinds for o in self.options if o["kind"] == kind), None)

    @property
    def denial(self) -> dict[str, str]:
        """How to deny it without a person."""
        option = self.option_of_kind("deny", "deny_and_stop")
        return {"id": "deny", "kind": "deny"} if option is None else option


class Approval:
    """A request that waits for a person."""

    def __init__(
        self, request: Request, record: dict[str, object], expires_at: float | None
    ) -> None:
        self.request = request
        self.record = record
        self.expires_at = expires_at


class Decision:
    """How a request was decided; what its protocol sends to the agent."""

    def __init__(
        self,
        option: dict[str, str],
        *,
        message: str | None = None,
        input: dict[str, object] | None = None,
        answers: dict[str, list[str]] | None = None,
    ) -> None:
        self.option = option["id"]
        self.kind = option["kind"]
        self.message = message
        self.input = input
        self.answers = answers or {}
