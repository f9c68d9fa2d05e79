"""Bringing a database to the newest revision, once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pysqlite3
import pytest

from tests.server import ROOT
from tests.store.fresh_var import make_var
from tests.store.rows import rows
from webapp.errors import SetupError
from webapp.store import messages, sessions
from webapp.store.engine import FILE_NAME, REVISION, open_migrated
from webapp.store.migrate import migrate, migrations_folder, upgrade

MIGRATE = """
import sys
from pathlib import Path
from webapp.store.migrate import migrate
print(migrate(Path(sys.argv[1])))
"""


def change(path: Path, statement: str) -> None:
    """Change a database behind everybody's back."""
    connection = pysqlite3.connect(str(path), isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_empty_folder_gets_a_database_that_can_be_opened(tmp_path: Path) -> None:
    assert migrate(tmp_path / "new" / "var") is True
    database = open_migrated(tmp_path / "new" / "var")
    assert database.revision() == REVISION
    database.close()


@pytest.mark.parametrize("name", ["a b", "100%", "50%20", "what?", "#1", "é", "file:x", "a&b=c"])
def test_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert migrate(tmp_path / name) is True
    database = open_migrated(tmp_path / name)
    assert database.revision() == REVISION
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_second_migration_has_nothing_to_do(tmp_path: Path) -> None:
    assert migrate(tmp_path) is True
    before = (tmp_path / FILE_NAME).read_bytes()
    assert migrate(tmp_path) is False
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_index_of_hashed_words_is_removed_and_the_rows_stay(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    upgrade(tmp_path / FILE_NAME, "0007")
    insert_session = (
        "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
        " created_at, ended_at) VALUES (?, 'workflow-1', 0, 'demo', '[]', 'here', 'x', 'lost',"
        " 'then', 'later')"
    )
    change(
        tmp_path / FILE_NAME,
        "INSERT INTO workflows VALUES ('workflow-1', NULL, 'chat', 'active', 0, 'then', 'then')",
    )
    change(
        tmp_path / FILE_NAME, insert_session.replace("?", "'session-1700000000000-abcabcabcabc'")
    )
    assert migrate(tmp_path) is True
    change(
        tmp_path / FILE_NAME, insert_session.replace("?", "'session-1700000000001-abcabcabcabc'")
    )
    database = open_migrated(tmp_path)
    assert len(rows(database, "SELECT * FROM session_overview")) == 2
    left = rows(database, "SELECT name FROM sqlite_schema WHERE name GLOB '*index*'")
    assert [row["name"] for row in left if not row["name"].startswith("sqlite_")] == []
    database.close()


def test_eight_who_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MIGRATE, str(tmp_path / "var")]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    answers = [process.communicate()[0].strip() for process in processes]
    assert sorted(answers) == ["False"] * 7 + ["True"]
    open_migrated(tmp_path / "var").close()


def test_what_is_made_is_for_its_user_alone(tmp_path: Path) -> None:
    ours = os.umask(0)
    try:
        migrate(tmp_path / "var")
    finally:
        os.umask(ours)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    assert modes.pop("var") == 0o700
    assert modes.pop("var/sessions") == 0o700
    assert set(modes.values()) == {0o600}


def test_database_is_in_wal_mode(tmp_path: Path) -> None:
    migrate(tmp_path)
    connection = pysqlite3.connect(str(tmp_path / FILE_NAME))
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_newest_migration_is_the_one_that_the_code_needs() -> None:
    newest = max(path.name for path in (migrations_folder() / "versions").glob("[0-9]*.py"))
    assert newest.partition("_")[0] == REVISION


@pytest.mark.parametrize("content", [None, b""], ids=["no file", "an empty file"])
def test_database_that_is_not_migrated_is_refused_with_the_command(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(SetupError, match="agent-stream migrate"):
        open_migrated(tmp_path)


def test_database_of_another_revision_is_refused_and_named(tmp_path: Path) -> None:
    var = make_var(tmp_path)
    change(var / FILE_NAME, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError, match=f"revision 9999.*needs {REVISION}"):
        open_migrated(var)


def test_database_of_a_newer_version_is_not_migrated(tmp_path: Path) -> None:
    var = make_var(tmp_path)
    change(var / FILE_NAME, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError, match="newer version"):
        migrate(var)


def test_refusal_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        open_migrated(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["open", "migrate"])
def test_file_that_is_no_database_is_refused_by_name(tmp_path: Path, what: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    with pytest.raises(SetupError, match=FILE_NAME):
        open_migrated(tmp_path) if what == "open" else migrate(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == b"no database" * 1000


def test_folder_that_cannot_be_made_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="AGENT_STREAM_VAR"):
        migrate(tmp_path / "file" / "var")


def test_failed_migration_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    change(tmp_path / FILE_NAME, "CREATE TABLE stages (mine TEXT)")
    with pytest.raises(SetupError, match="stages"):
        migrate(tmp_path)
    connection = pysqlite3.connect(str(tmp_path / FILE_NAME))
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert "workflows" not in tables
    connection.close()


def test_keys_of_clients_become_hashes(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    upgrade(tmp_path / FILE_NAME, "0008")
    session = "'session-1700000000000-abcabcabcabc'"
    for statement in (
        "INSERT INTO workflows VALUES ('workflow-1', NULL, 'chat', 'active', 0, 'then', 'then')",
        "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
        f" created_at, ended_at) VALUES ({session}, 'workflow-1', 0, 'demo', '[]', 'here', 'x',"
        " 'lost', 'then', 'later')",
        f"INSERT INTO idempotency_keys VALUES ('my-very-secret-key', 'hash', {session}, 'then')",
        "INSERT INTO messages (workflow_id, stage_index, role, content, created_at,"
        " idempotency_key) VALUES ('workflow-1', 0, 'user', 'x', 'then', 'my-very-secret-key')",
    ):
        change(tmp_path / FILE_NAME, statement)

    assert migrate(tmp_path) is True
    database = open_migrated(tmp_path)
    found = database.write_sql(
        lambda connection: sessions.find_idempotency_key(connection, "my-very-secret-key")
    )
    assert found == ("hash", session.strip("'"))
    with database.read() as orm:
        message = messages.find_by_key(orm, "my-very-secret-key")
    assert message is not None
    assert message.content == "x"
    database.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"my-very-secret-key" not in files
