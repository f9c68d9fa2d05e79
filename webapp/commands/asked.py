"""What the agent of a session asks for, as somebody who is attached sees and answers it."""

import json
from typing import Any

from webapp.commands.approvals import who
from webapp.commands.approve import ALLOW, ALLOW_SESSION, ANSWER, DENY
from webapp.commands.conversation_parts import number_of, options_of, title_of
from webapp.commands.var_folder import VarFolder
from webapp.errors import AgentStreamError
from webapp.log.events import Event
from webapp.sessions.approvals import answer
from webapp.sessions.conversations import read_log
from webapp.store.models import Session

KEYS = {"y": ALLOW, "a": ALLOW_SESSION, "n": DENY}
_HINTS = {ALLOW: "y allows it once", ALLOW_SESSION: "a for the session", DENY: "n denies it"}


class Asked:
    """The open approvals of one session, oldest first."""

    def __init__(self, var_folder: VarFolder, session: Session) -> None:
        self._var_folder = var_folder
        self._session = session
        waiting = read_log(var_folder.var, session).open_approvals if session.talk else []
        self._open: dict[str, dict[str, Any]] = {str(each["id"]): each for each in waiting}

    def see(self, event: Event) -> None:
        """Take an event into account."""
        if event.name not in ("approval", "approval_resolved") or event.stream != "system":
            return
        facts = json.loads(event.data)
        if event.name == "approval":
            self._open[str(facts.get("id"))] = facts
        else:
            self._open.pop(str(facts.get("id")), None)

    @property
    def first(self) -> dict[str, Any] | None:
        """The one that is answered next."""
        return next(iter(self._open.values()), None)

    @property
    def is_question(self) -> bool:
        """Whether it is answered by words, not by a key."""
        return self.first is not None and self.first.get("kind") == "question"

    def prompt(self) -> str:
        """What is asked, and how to answer; nothing where nothing is open."""
        approval = self.first
        if approval is None:
            return ""
        hints = "type the answer"
        if not self.is_question:
            kinds = [str(option.get("kind")) for option in options_of(approval)]
            hints = ", ".join(hint for kind, hint in _HINTS.items() if kind in kinds)
        return f"? {number_of(approval.get('id'))}: {title_of(approval)} ({hints})"

    def has_key(self, key: str) -> bool:
        """Whether this key answers now."""
        return self.first is not None and not self.is_question and self._option(key) is not None

    def press(self, key: str) -> str:
        """Answer by a key; what there is to say about it."""
        approval, option = self.first, self._option(key)
        if approval is None or option is None:
            return ""
        return self._answer(approval, {"option": option})

    def say(self, text: str) -> str:
        """Answer a question in words: a label, or words of one's own."""
        approval = self.first
        if approval is None:
            return ""
        questions = approval.get("questions")
        found = questions if isinstance(questions, list) else []
        ids = [str(each.get("id")) for each in found if isinstance(each, dict)]
        return self._answer(approval, {"option": ANSWER, "answers": {each: [text] for each in ids}})

    def _option(self, key: str) -> str | None:
        approval = self.first or {}
        kind = KEYS[key]
        ids = [each.get("id") for each in options_of(approval) if each.get("kind") == kind]
        return str(ids[0]) if ids else None

    def _answer(self, approval: dict[str, Any], given: dict[str, Any]) -> str:
        var_folder, approval_id = self._var_folder, str(approval["id"])
        try:
            said = {**given, "by": who()}
            answer(var_folder.database, var_folder.var, self._session.id, approval_id, said)
        except AgentStreamError as error:
            return str(error)
        finally:
            self._open.pop(approval_id, None)
        return ""
