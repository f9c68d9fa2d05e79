"""The questions of `forensics.sql`, asked of a database in which the answers are known."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import questions
from tests.store.fresh_var import make_var
from tests.store.rows import add_ended, add_session, execute, rows
from webapp.store import workflows
from webapp.store.engine import Database, open_migrated

Answer = list[dict[str, Any]]


def at(**ago: float) -> str:
    """A time so long before the last midnight, as a row holds it."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    time = midnight - timedelta(**ago)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Story:
    """Two weeks of a small team: what each session is called, and the rows of all."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ids: dict[str, str] = {}
        self.design = self._workflow("standard", "build it")
        self.chat = self._workflow("chat", None)

        self._ended("asked", self.design, days=9, seconds=30, agent="claude", cost=(100, 10, 0.5))
        self._ended("coded", self.design, stage=2, days=8, seconds=600, cost=(900, 90, 1.25))
        self._ended(
            "broke", self.design, stage=2, days=7, seconds=60, cost=(50, 5, 0.25),
            status="failed", exit_code=3,
        )  # fmt: skip
        self._ended("long", self.chat, agent="sh", days=6, seconds=90_000, log_bytes=5_000_000)
        self._lost("old crash", days=5)
        for name in ("crash 1", "crash 2"):
            self._lost(name, days=4)
        self._ended("night", self.chat, agent="sh", days=-0.125, seconds=5)
        self.ids["live"] = add_session(
            database, self.chat, id=self._new_id(), status="running", agent="sh", pid=4711,
            runner_pid=4710, created_at=at(days=3), started_at=at(days=2.9),
        )  # fmt: skip

        self._say(self.design, "broke", "agent", "No such file.")
        self._say(self.chat, "crash 1", "user", "do not crash")
        self._turns()
        gate = "UPDATE stages SET gate_satisfied_at = :at WHERE gate_type = 'auto'"
        execute(database, gate, at=at(days=10))

    def _workflow(self, template: str, message: str | None) -> str:
        return self.database.write(
            lambda orm: (
                workflows.create_workflow(
                    orm, template=template, request_id=None, initial_message=message
                ).id
            )
        )

    def _ended(
        self,
        name: str,
        workflow_id: str,
        *,
        days: float,
        seconds: float,
        stage: int = 0,
        agent: str = "claude",
        cost: tuple[int, int, float] | None = None,
        **columns: Any,
    ) -> None:
        row = {
            "id": self._new_id(),
            "agent": agent,
            "stage_index": stage,
            "created_at": at(days=days),
            "started_at": at(days=days),
            "ended_at": at(days=days, seconds=-seconds),
            "log_bytes": 100,
            "pid": len(self.ids),
            "cwd": "/srv",
            "argv": f'["{agent}","-p"]',
        }
        self.ids[name] = add_ended(self.database, workflow_id, **row | columns)
        if cost is not None:
            input_tokens, output_tokens, usd = cost
            execute(
                self.database,
                "INSERT INTO session_usage VALUES (:id, :input, :output, :usd, 7)",
                id=self.ids[name], input=input_tokens, output=output_tokens, usd=usd,
            )  # fmt: skip

    def _new_id(self) -> str:
        """Ids sort by the time at which they were made; these do within a millisecond too."""
        return f"session-{1_795_000_000_000 + len(self.ids)}-000000000000"

    def _lost(self, name: str, *, days: float) -> None:
        self._ended(
            name, self.chat, agent="codex", days=days, seconds=10,
            status="lost", exit_code=None, error="the runner is gone",
        )  # fmt: skip

    def _say(self, workflow_id: str, name: str, role: str, content: str) -> None:
        execute(
            self.database,
            "INSERT INTO messages"
            " VALUES (NULL, :workflow, 0, :session, :role, :content, :at, NULL)",
            workflow=workflow_id, session=self.ids[name], role=role, content=content,
            at=at(days=1),
        )  # fmt: skip

    def _turns(self) -> None:
        """Two turns of `coded`: in the first one a person allowed, in the second nobody did."""
        session_id = self.ids["coded"]
        for turn, (outcome, cost) in enumerate([("completed", 1.0), ("interrupted", 0.25)], 1):
            execute(
                self.database,
                "INSERT INTO turns VALUES (:id, :turn, :outcome, NULL, 400, 300, 40, :cost, 7,"
                " 0, :at, :at, 900)",
                id=session_id, turn=turn, outcome=outcome, cost=cost, at=at(days=8),
            )  # fmt: skip
        answers: list[tuple[str | None, str | None]] = [("allowed", "ada"), (None, None)]
        for number, (resolution, by) in enumerate(answers, 1):
            execute(
                self.database,
                "INSERT INTO approvals VALUES (:id, :session, :turn, 'command', 'Bash',"
                " 'touch a.txt', :at, :outcome, NULL, :by, NULL, NULL)",
                id=f"{session_id}.{number}", session=session_id, turn=number, outcome=resolution,
                by=by, at=at(days=8 - number / 1440),
            )  # fmt: skip

    def ask(self, question: str) -> Answer:
        """The documentation's own SQL, with what its parameters stand for."""
        values = {"workflow": self.design, "at": at(days=8, seconds=-10)}
        return rows(self.database, questions()[question], **values)

    def names(self, answer: Answer) -> list[str]:
        """What the sessions of an answer are called here."""
        found = {session_id: name for name, session_id in self.ids.items()}
        return [found[row.get("session") or row["id"]] for row in answer]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A database for each question: its rows are as old as they say, past midnight too."""
    database = open_migrated(make_var(tmp_path))
    yield Story(database)
    database.close()


CHECKS: dict[str, Callable[[Story, Answer], object]] = {
    "What ran last night?": lambda story, answer: (
        story.names(answer) == ["night"] and answer[0]["took"] == "5.0 s"
    ),
    "What failed, and what did the agent say last?": lambda story, answer: (
        story.names(answer) == ["crash 2", "crash 1", "old crash", "broke"]
        and (answer[3]["outcome"], answer[3]["answer"]) == ("exit 3", "No such file.")
        and answer[0]["outcome"] == "the runner is gone"
    ),
    "What runs now?": lambda story, answer: (
        story.names(answer) == ["live"] and answer[0]["outcome"] == "pid 4711"
    ),
    "Which session was process 4711, an agent or its runner?": lambda story, answer: (
        story.names(answer) == ["live"]
    ),
    "What ran at that moment?": lambda story, answer: story.names(answer) == ["coded"],
    "Which session printed the most?": lambda story, answer: (
        story.names(answer)[0] == "long" and answer[0]["log_bytes"] == 5_000_000
    ),
    "What took longest, or still runs?": lambda story, answer: (
        story.names(answer)[:3] == ["live", "long", "coded"] and answer[2]["seconds"] == 600
    ),
    "What had to wait for its start?": lambda story, answer: (
        story.names(answer)[0] == "live" and answer[0]["seconds"] == 8640.0
    ),
    "What did stage 2 cost? (The first one is 0.)": lambda _story, answer: (
        answer
        == [
            {
                "name": "implementation",
                "sessions": 2,
                "failed": 1,
                "seconds": 660.0,
                "input_tokens": 950,
                "output_tokens": 95,
                "cost_usd": 1.5,
            }
        ]
    ),
    "What did each day cost, by agent?": lambda _story, answer: (
        {"day": at(days=8)[:10], "agent": "claude", "sessions": 1, "tokens": 990, "usd": 1.25}
        in answer
        and {"day": at(days=4)[:10], "agent": "codex", "sessions": 2, "tokens": None, "usd": None}
        in answer
    ),
    "What was lost in the last crash, and what was it asked to do?": lambda story, answer: (
        sorted(zip(story.names(answer), [row["message"] for row in answer], strict=True))
        == [("crash 1", "do not crash"), ("crash 2", None)]
    ),
    "Which sessions did a workflow have, in order?": lambda story, answer: (
        story.names(answer) == ["asked", "coded", "broke"] and answer[1]["cost"] == "$1.2500"
    ),
    "What did people and agents say in it?": lambda _story, answer: (
        [(row["who"], row["said"]) for row in answer]
        == [("user", "build it"), ("claude", "No such file.")]
    ),
    "What exactly was run, and where?": lambda story, answer: (
        story.names(answer) == ["asked", "asked", "coded", "coded", "broke", "broke"]
        and [row["argument"] for row in answer[:2]] == ["claude", "-p"]
        and answer[0]["cwd"] == "/srv"
    ),
    "Which workflows wait for a person?": lambda story, answer: (
        [(row["workflow"], row["stage"], row["sessions"]) for row in answer]
        == [(story.design, "request", 3)]
    ),
    "How often does each agent succeed?": lambda _story, answer: (
        answer
        == [
            {"agent": "codex", "ended": 3, "percent": 0.0},
            {"agent": "claude", "ended": 3, "percent": 66.7},
            {"agent": "sh", "ended": 2, "percent": 100.0},
        ]
    ),
    "What was allowed, and by whom?": lambda story, answer: (
        [(row["outcome"], row["by"], row["title"]) for row in answer]
        == [("withdrawn", None, "touch a.txt"), ("allowed", "ada", "touch a.txt")]
        and answer[1]["session"] == story.ids["coded"]
    ),
    "What did each turn cost?": lambda _story, answer: (
        [(row["turn"], row["outcome"], row["tokens"], row["cost_usd"]) for row in answer]
        == [(1, "completed", 440, 1.0), (2, "interrupted", 440, 0.25)]
    ),
}


def test_each_question_of_the_documentation_is_asked_here() -> None:
    assert list(questions()) == list(CHECKS)


@pytest.mark.parametrize("question", CHECKS)
def test_sql_of_the_documentation_answers_its_question(story: Story, question: str) -> None:
    answer = story.ask(question)
    assert CHECKS[question](story, answer), answer
