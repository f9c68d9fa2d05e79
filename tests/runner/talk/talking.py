"""A live session that holds a conversation, as its tests see it."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runner.talk.player import PLAYED
from tests.server import wait_for
from tests.sessions.machine import Machine
from webapp.sessions import control, conversations
from webapp.sessions.new_session import Invocation
from webapp.store.models import Session

Record = dict[str, Any]


@dataclass
class Talking:
    """One session of a conversation."""

    machine: Machine
    session: Session

    @property
    def records(self) -> list[Record]:
        """The runner's own records so far."""
        found = self.machine.records(self.session)
        return [json.loads(record.content) for record in found if record.stream == b"system"]

    def of_type(self, *kinds: str) -> list[Record]:
        """Those of some types."""
        return [record for record in self.records if record["type"] in kinds]

    def wait(self, type_: str, count: int = 1, /, **fields: object) -> Record:
        """The `count`-th record of a type with these fields, once it is there."""

        def found() -> list[Record]:
            return [
                record
                for record in self.of_type(type_)
                if all(record.get(name) == value for name, value in fields.items())
            ][count - 1 : count]

        try:
            return wait_for(found)[0]
        except AssertionError:
            raise AssertionError(f"no {type_} {count} with {fields} in {self.records}") from None

    def ask(self, kind: str, **fields: object) -> dict[str, Any]:
        """A request to the runner, and its reply."""
        return control.ask(self.machine.files(self.session), {"type": kind, **fields})

    def say(self, content: str, message_id: str | None = None) -> dict[str, Any]:
        """A message."""
        return self.ask("message", id=message_id or str(uuid.uuid4()), content=content, by="ann")

    def answer(self, approval: Record, option: str, **fields: object) -> dict[str, Any]:
        """An answer to an approval."""
        return self.ask("answer", id=approval["id"], option=option, by="ann", **fields)

    def end_of_script(self, script: Path, turns: int) -> Session:
        """Cancel it when its agent has played all of a script; its row at the end."""
        wait_for(lambda: len(self.of_type("turn_ended")) >= turns)
        wait_for(lambda: self.of_type("state")[-1]["state"] == "idle")
        wait_for(Path(f"{script}{PLAYED}").exists)
        return self.end()

    def end(self) -> Session:
        """Cancel it; its row at the end."""
        control.cancel(self.machine.files(self.session))
        return self.machine.wait_until_gone(self.session)


def talk(machine: Machine, message: str, workflow_id: str | None = None) -> Talking:
    """Send a message to a workflow's conversation: the session that it went to."""
    workflow_id = workflow_id or machine.create_workflow()
    invocation = Invocation(workflow_id, message=message, agent="agent")
    return Talking(machine, conversations.invoke(machine.launcher, invocation).session)
