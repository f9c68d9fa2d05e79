"""What an agent asks a person for: open approvals, who may answer what, and how each ended."""

from collections.abc import Callable
from time import monotonic, time_ns

from webapp.runner.row import format_row_time
from webapp.runner.talk import rules
from webapp.runner.talk.answers import Refused, decide
from webapp.runner.talk.redacted import Redact
from webapp.runner.talk.request import OUTCOMES, Approval, Decision, Request

MAX_OPEN = 50
"""An agent that asks for more at once is refused the rest."""
MAX_REMEMBERED = 1000
"""Resolved ones, so that a late answer hears how it ended."""


class Approvals:
    """All approvals of one session. Each change is in the log before the agent hears of it."""

    def __init__(
        self,
        session_id: str,
        policy: dict[str, list[str]],
        append: Callable[[dict[str, object]], int | None],
        append_pending: Callable[[dict[str, object]], None],
        redact: Redact,
        seconds: float | None,
    ) -> None:
        """`policy`: the rules `allow` and `deny` of the operator, and those of the `session`.
        `append` writes a record now, and gives None where there is no room; `append_pending`
        writes it when there is."""
        self._session_id = session_id
        self._policy = policy
        self._append = append
        self._append_pending = append_pending
        self._redact = redact
        self._seconds = seconds
        self._count = 0
        self.open: dict[str, Approval] = {}
        self._resolved: dict[str, dict[str, object]] = {}
        self.denied = 0
        """In this turn."""

    @property
    def session_rules(self) -> list[str]:
        """What a person allowed for the session."""
        return self._policy["session"]

    def ask(self, request: Request, turn: int | None) -> Decision | None:
        """Record a request; the decision, where a rule answers it at once."""
        self._count += 1
        approval_id = f"{self._session_id}.{self._count}"
        expires_at = None if self._seconds is None else monotonic() + self._seconds
        record = self._record(approval_id, request, turn)
        approval = Approval(request, record, expires_at)
        self.open[approval_id] = approval
        self._append_pending(record)
        decision = self._by_rule(request)
        if decision is None:
            return None
        resolved = self.resolve(approval, OUTCOMES[decision.kind], decision, by="rule")
        return None if resolved is None else decision

    def _record(self, approval_id: str, request: Request, turn: int | None) -> dict[str, object]:
        record: dict[str, object] = {
            "type": "approval",
            "id": approval_id,
            "turn": turn,
            "kind": request.kind,
            "tool": request.tool,
            "title": request.title,
            "input": request.input,
            "callId": request.call_id,
            "options": request.options,
            "questions": request.questions,
            "sessionRules": request.session_rules or None,
            "mayChangeInput": request.may_change_input,
            "mayExplain": request.may_explain,
            "expiresAt": None
            if self._seconds is None
            else format_row_time(time_ns() + int(self._seconds * 1e9)),
            **request.facts,
        }
        clean = self._redact.value(record)
        assert isinstance(clean, dict)
        return {name: value for name, value in clean.items() if value is not None}

    def _by_rule(self, request: Request) -> Decision | None:
        if request.kind == "question":
            return None
        if rules.denies(self._policy["deny"], request.tool, request.subject):
            return Decision(request.denial, message="The rules of this server do not allow this.")
        for name in ("allow", "session"):
            if rules.allows(self._policy[name], request.tool, request.subject):
                option = request.option_of_kind("allow_once", "allow_session")
                return None if option is None else Decision(option, input=request.input)
        return None

    # --- answers ----------------------------------------------------------------------

    def answer(
        self, answer: dict[str, object]
    ) -> tuple[dict[str, object], Approval | None, Decision | None]:
        """The reply to a client's answer; with it the decision that it made, for the agent."""
        approval_id = answer.get("id")
        if not isinstance(approval_id, str):
            return {"error": "unknown"}, None, None
        if approval_id in self._resolved:
            return {"error": "closed", "resolved": self._resolved[approval_id]}, None, None
        approval = self.open.get(approval_id)
        if approval is None:
            return {"error": "unknown"}, None, None
        try:
            decision = decide(approval.request, answer)
        except Refused as refused:
            return refused.reply, None, None
        by = answer.get("by")
        resolved = self.resolve(
            approval, OUTCOMES[decision.kind], decision, by=by if isinstance(by, str) else None
        )
        if resolved is None:
            return {"error": "no room"}, None, None
        if decision.kind == "allow_session":
            self._policy["session"] += [
                rule for rule in approval.request.session_rules if rule not in self.session_rules
            ]
        return {"resolved": resolved}, approval, decision

    # --- ends -------------------------------------------------------------------------

    def resolve(
        self,
        approval: Approval,
        outcome: str,
        decision: Decision | None = None,
        *,
        by: str | None = None,
    ) -> dict[str, object] | None:
        """Record how it ended; None, and it stays open, where there is no room for the record."""
        record: dict[str, object] = {"type": "approval_resolved", "id": approval.record["id"]}
        record["outcome"] = outcome
        if decision is not None:
            record["option"] = decision.option
            if decision.kind == "allow_session":
                record["rules"] = approval.request.session_rules
            if decision.message is not None:
                record["message"] = decision.message
            if decision.answers:
                record["answers"] = decision.answers
            if decision.input is not None and decision.input != approval.request.input:
                record["changed"] = True
                record["input"] = decision.input
        if by is not None:
            record["by"] = by
        clean = self._redact.value(record)
        assert isinstance(clean, dict)
        if self._append(clean) is None:
            return None
        self._close(clean)
        self.denied += outcome in ("denied", "expired")
        return clean

    def withdraw(self, approval: Approval, by: str | None = None) -> None:
        """Close it for certain: with the disk full its record is written later."""
        record = {"type": "approval_resolved", "id": approval.record["id"], "outcome": "withdrawn"}
        record |= {} if by is None else {"by": by}
        self._append_pending(record)
        self._close(record)

    def _close(self, record: dict[str, object]) -> None:
        approval_id = str(record["id"])
        del self.open[approval_id]
        self._resolved[approval_id] = record
        if len(self._resolved) > MAX_REMEMBERED:
            del self._resolved[next(iter(self._resolved))]

    def find(self, key: object) -> Approval | None:
        """The open approval of the agent's own request."""
        return next((a for a in self.open.values() if a.request.key == key), None)

    def expired(self, now: float) -> list[Approval]:
        """Those whose time is over."""
        return [a for a in self.open.values() if a.expires_at is not None and now >= a.expires_at]

    @property
    def next_time(self) -> float | None:
        """When the first of them expires."""
        times = [a.expires_at for a in self.open.values() if a.expires_at is not None]
        return min(times, default=None)
