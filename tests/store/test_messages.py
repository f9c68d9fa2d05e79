"""The history of a workflow, page by page."""

from tests.store.rows import execute
from webapp.store import messages, workflows
from webapp.store.engine import Database


def add(database: Database, workflow_id: str, *contents: str) -> None:
    """Messages of a person."""
    for content in contents:
        database.write(
            lambda orm, content=content: messages.add_message(  # type: ignore[misc]
                orm, workflows.get_workflow(orm, workflow_id), "user", content
            )
        )


def test_history_is_read_forward_and_backward(database: Database, workflow_id: str) -> None:
    add(database, workflow_id, *"abcd")
    with database.read() as orm:
        back = messages.messages_before(orm, workflow_id, None, 3)
        assert [message.content for message in back] == ["d", "c", "b"]
        rest = messages.messages_before(orm, workflow_id, back[-1].id, 9)
        assert [message.content for message in rest] == ["a", "hello"]
        after = messages.messages_after(orm, workflow_id, rest[0].id, 2)
        assert [message.content for message in after] == ["b", "c"]
        assert messages.newest_message_id(orm) == back[0].id


def test_history_holds_no_other_workflow(database: Database, workflow_id: str) -> None:
    other = database.write(
        lambda orm: (
            workflows.create_workflow(
                orm, template="chat", request_id=None, initial_message="other"
            ).id
        )
    )
    with database.read() as orm:
        (theirs,) = messages.messages_before(orm, other, None, 9)
        assert theirs.content == "other"
        assert messages.has_message(orm, other, theirs.id)
        assert not messages.has_message(orm, workflow_id, theirs.id)
        assert [m.content for m in messages.messages_after(orm, workflow_id, 0, 9)] == ["hello"]


def test_newest_id_of_no_message_is_zero(database: Database, workflow_id: str) -> None:
    execute(database, "DELETE FROM messages")
    with database.read() as orm:
        assert messages.newest_message_id(orm) == 0
