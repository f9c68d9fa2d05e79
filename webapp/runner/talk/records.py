"""What is known of a conversation, as records in the log and columns of the session's row."""

from collections.abc import Callable

from webapp.runner.logfile import LogFile
from webapp.runner.spec import Spec
from webapp.runner.talk import conversation_lock
from webapp.runner.talk.conversation_row import ConversationRow
from webapp.runner.talk.redacted import Redact


class ConversationRecords:
    """Its id, mode and model. Each change is in the log before anybody acts on it."""

    def __init__(
        self,
        spec: Spec,
        log: LogFile,
        redact_text: Callable[[str], str],
        schedule_write: Callable[[], None],
    ) -> None:
        """`spec.talk` says how the conversation is held; `schedule_write` has the session's row
        written soon. InUse, OSError: another session holds it, or its lock cannot be had."""
        assert spec.talk is not None
        self.facts = spec.talk
        self.cwd = spec.cwd
        self.max_line_bytes = spec.maxLineBytes
        self.redact = Redact(redact_text)
        self.row = ConversationRow(schedule_write)
        self._log = log
        self.conversation_id: str | None = None
        self.mode: str | None = None
        self.model: str | None = None
        self._locks: dict[str, int] = {}
        if (resumed := self.facts.get("conversationId")) is not None:
            self.hold(str(resumed))

    def append(self, record: dict[str, object]) -> None:
        """A record, as soon as there is room for it."""
        self._log.append_system(record)
        self.row.note(record)

    def append_now(self, record: dict[str, object]) -> int | None:
        """A record that must be in the log before anything else; None: there is no room for it."""
        offset = self._log.append_record(record)
        if offset is not None:
            self.row.note(record)
        return offset

    def began(self, conversation_id: str, **facts: object) -> None:
        """The agent says which conversation this is; the same again is not recorded."""
        facts = {name: self.redact.value(value) for name, value in facts.items()}
        conversation_id = self.redact.text(conversation_id)
        if conversation_id != self.conversation_id:
            self.conversation_id = conversation_id
            resumed = self.facts.get("conversationId") == conversation_id
            record: dict[str, object] = {
                "type": "conversation",
                "conversationId": conversation_id,
                **facts,
                "resumedFrom": self.facts.get("resumedFrom") if resumed else None,
            }
            self.append({name: value for name, value in record.items() if value is not None})
            self.model, self.mode = _text(facts.get("model")), _text(facts.get("mode"))
        self.note_model(facts.get("model"))
        self.note_mode(facts.get("mode"))

    def note_mode(self, mode: object, by: str | None = None) -> None:
        """The mode is this one, by a person's choice or the agent's own."""
        if isinstance(mode, str) and mode != self.mode:
            self.mode = mode = self.redact.text(mode)
            self.append({"type": "mode", "mode": mode, **({} if by is None else {"by": by})})

    def note_model(self, model: object, by: str | None = None) -> None:
        """The model is this one."""
        if isinstance(model, str) and model != self.model:
            self.model = model = self.redact.text(model)
            self.append({"type": "model", "model": model, **({} if by is None else {"by": by})})

    def hold(self, conversation_id: str) -> None:
        """Keep other sessions from this conversation as long as this process lives."""
        if conversation_id not in self._locks:
            folder, protocol = str(self.facts["conversations"]), str(self.facts["protocol"])
            self._locks[conversation_id] = conversation_lock.hold(folder, protocol, conversation_id)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
