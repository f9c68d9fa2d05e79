"""`/healthz`, `/readyz`, pages of errors, and the worker's name."""

import os

import pytest

from tests.http.client import Client, plain_error
from tests.http.conftest import MakeClient
from webapp.app import create_app
from webapp.errors import SetupError
from webapp.settings import Settings


def test_worker_that_lives_says_so(client: Client) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok", "pid": os.getpid()}


def test_worker_that_can_work_is_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["status"]) == (200, "ready")


def test_worker_without_its_folder_is_not_ready(make_client: MakeClient) -> None:
    client = make_client()
    (client.machine.var / "sessions").rmdir()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "var/sessions" in response.get_json()["problems"][0]


def test_worker_with_a_damaged_database_is_not_ready(make_client: MakeClient) -> None:
    client = make_client()
    database = client.machine.database
    database.close()
    whole = database.path.read_bytes()
    database.path.write_bytes(b"damaged" * 1000)
    try:
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
    finally:
        database.close()
        database.path.write_bytes(whole)


def test_worker_whose_database_was_removed_makes_no_empty_one(make_client: MakeClient) -> None:
    """A runner that still has an end to write would take the empty one for a locked one."""
    client = make_client()
    database = client.machine.database
    database.close()
    hidden = database.path.rename(database.path.with_name("hidden.db"))
    try:
        assert client.get("/readyz").status_code == 503
        assert not database.path.exists()
    finally:
        database.close()
        hidden.rename(database.path)


def test_app_refuses_a_database_that_is_not_migrated(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(SetupError, match="agent-stream migrate"):
        create_app(Settings(var=tmp_path))  # type: ignore[arg-type]


def test_unknown_path_is_json_for_a_program_and_a_page_for_a_person(client: Client) -> None:
    assert plain_error(client.get("/api/nothing"))[:2] == (404, "NOT_FOUND")
    assert plain_error(client.get("/nothing", Accept="application/json"))[:2] == (404, "NOT_FOUND")
    page = client.get("/nothing", Accept="text/html")
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_page_of_an_error_shows_text_as_text(client: Client) -> None:
    page = client.get("/<script>alert(1)</script>", Accept="text/html")
    assert b"<script>alert" not in page.data


def test_first_page_is_there(client: Client) -> None:
    page = client.get("/", Accept="text/html")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert b"sh" in page.data


@pytest.mark.parametrize("debug_headers", [False, True])
def test_answers_name_their_worker_only_when_asked(
    make_client: MakeClient, debug_headers: bool
) -> None:
    client = make_client(debug_headers=debug_headers)
    named = client.get("/healthz").headers.get("X-Worker-Pid")
    assert named == (str(os.getpid()) if debug_headers else None)
