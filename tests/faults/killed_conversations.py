"""Conversations of ten turns in which the agent or its runner is killed at a random moment.

`python -m tests.faults.killed_conversations 200` runs those with the seeds 0 to 199, a second
number is the seed to begin with. It prints the seed of each that breaks a rule: each message is
taken once, no tool runs without an answer before it, no approval stays open, and at no time do two
processes hold the conversation.
"""

import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.server import wait_for
from tests.sessions.machine import Machine, clear_away, kill
from tests.store.fresh_var import make_var
from tests.store.rows import rows
from webapp.agents.profiles import BUILT_IN
from webapp.errors import AgentStreamError
from webapp.log.conversation import Conversation
from webapp.sessions import approvals, conversations
from webapp.sessions.conversations import read_log
from webapp.sessions.launch import Launcher
from webapp.sessions.new_session import Invocation
from webapp.sessions.reconcile import reconcile_all
from webapp.settings import Settings
from webapp.store.engine import open_migrated
from webapp.store.models import Session

TURNS = 10
KILLS = 3
PATIENCE_SECONDS = 60.0


@contextmanager
def machine_that_talks(folder: Path) -> Iterator[Machine]:
    """A machine whose agent is the demo one, with its memory in the folder."""
    (folder / "home").mkdir()
    profile = replace(BUILT_IN["demo-talk"], env=("XDG_STATE_HOME",))
    settings = Settings(
        var=make_var(folder), agents={"talk": profile}, default_agent="talk", grace_seconds=1
    )
    os.environ["XDG_STATE_HOME"] = str(folder / "home")
    database = open_migrated(settings.var)
    machine = Machine(settings, database, Launcher(settings, database))
    try:
        yield machine
    finally:
        clear_away(machine)


class Killed:
    """One conversation, and who kills its processes meanwhile."""

    def __init__(self, machine: Machine, seed: int) -> None:
        self.machine = machine
        self.random = random.Random(seed)
        self.workflow_id = machine.create_workflow()
        self.is_over = False
        self.problems: list[str] = []

    def run(self) -> list[str]:
        """All of it; what was wrong."""
        killer = threading.Thread(target=self._kill_now_and_then)
        killer.start()
        try:
            for number in range(TURNS):
                self._turn(f"approve {number}")
        finally:
            self.is_over = True
            killer.join()
        self._check()
        return self.problems

    def _turn(self, message: str) -> None:
        """Say it, and answer until the agent rests, in whichever session that is."""
        conversations.invoke(self.machine.launcher, Invocation(self.workflow_id, message))
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            session = self.sessions()[-1]
            found = read_log(self.machine.var, session)
            for approval in found.open_approvals:
                self._answer(session, str(approval["id"]))
            if not self.machine.is_locked(session):
                return  # killed: the next message goes on
            if found.state == "idle" and not found.pending_messages and found.turns:
                return
            time.sleep(0.01)
        self.problems.append(f"{message!r} did not end")

    def _answer(self, session: Session, approval_id: str) -> None:
        given = {"option": self.random.choice(["allow_once", "deny"]), "by": "test"}
        try:
            approvals.answer(
                self.machine.database, self.machine.var, session.id, approval_id, given
            )
        except AgentStreamError:
            return  # its runner was killed meanwhile

    def _kill_now_and_then(self) -> None:
        left = KILLS
        while left and not self.is_over:
            time.sleep(self.random.uniform(0.02, 0.7))
            live = [each for each in self.sessions() if each.is_live and each.pid is not None]
            if len(live) > 1 and all(map(self.machine.is_locked, live)):
                self.problems.append(f"two live sessions: {[each.id for each in live]}")
            if live:
                kill(self.random.choice([live[-1].pid, live[-1].runner_pid]))
                left -= 1

    def sessions(self) -> list[Session]:
        """All sessions of the conversation, oldest first."""
        query = "SELECT id FROM sessions WHERE workflow_id = :id ORDER BY id"
        found = rows(self.machine.database, query, id=self.workflow_id)
        return [self.machine.find(str(row["id"])) for row in found]

    def _check(self) -> None:
        last = conversations.invoke(self.machine.launcher, Invocation(self.workflow_id, "table"))
        wait_for(lambda: self._is_at_rest(last.session))
        kill(self.machine.find(last.session.id).runner_pid)
        wait_for(lambda: not self.machine.is_locked(last.session))
        reconcile_all(self.machine.database, self.machine.var)
        found = [read_log(self.machine.var, session) for session in self.sessions()]
        taken = [
            message.content
            for log in found
            for message in log.messages.values()
            if message.state == "taken"
        ]
        said = [*(f"approve {number}" for number in range(TURNS)), "table"]
        if sorted(taken) != sorted(said):
            self.problems.append(f"taken {taken}")
        for session, log in zip(self.sessions(), found, strict=True):
            self._check_tools(session, log)
        if rows(self.machine.database, "SELECT 1 FROM approvals WHERE outcome IS NULL"):
            self.problems.append("an approval is open in its row")
        if len({log.conversation_id for log in found if log.conversation_id}) != 1:
            self.problems.append(f"conversations {[log.conversation_id for log in found]}")

    def _is_at_rest(self, session: Session) -> bool:
        found = read_log(self.machine.var, session)
        return bool(found.turns) and found.state == "idle" and not found.pending_messages

    def _check_tools(self, session: Session, log: Conversation) -> None:
        """Each result that is no error comes after the answer that allowed it."""
        if log.open_approvals:
            self.problems.append(f"{session.id} has open approvals in its log")
        allowed: set[str] = set()
        calls = {
            str(each.record["id"]): each.record.get("callId") for each in log.approvals.values()
        }
        for record in self.machine.records(session):
            if b'"approval_resolved"' in record.content and record.stream == b"system":
                facts = json.loads(record.content)
                if facts["outcome"] == "allowed":
                    allowed.add(str(calls[facts["id"]]))
            elif b'"tool_result"' in record.content and b'"is_error":false' in record.content:
                (block,) = json.loads(record.content)["message"]["content"]
                if block["tool_use_id"] not in allowed:
                    self.problems.append(f"{session.id}: {block['tool_use_id']} ran unasked")


def main(count: int, first: int = 0) -> None:
    """Run this many, each in a folder of its own."""
    broken = 0
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as name, machine_that_talks(Path(name)) as machine:
            problems = Killed(machine, seed).run()
        broken += bool(problems)
        print(f"seed {seed}: {'; '.join(problems) or 'as it should be'}", flush=True)
    print(f"{count} conversations, {broken} broke a rule")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
