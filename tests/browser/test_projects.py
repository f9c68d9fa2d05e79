"""A conversation's project and worktree on the page: chosen, shown, merged, discarded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import talk_page
from tests.browser.talk_page import TalkPage
from tests.projects.repository import make_repository, run_git
from tests.server import Server, running_server, wait_for

pytestmark = pytest.mark.browser

AGENTS: dict[str, dict[str, Any]] = {
    "demo-talk": talk_page.demo(),
    "writer": {"command": ["sh", "-c", "pwd > where; cat > said"], "message": "stdin"},
}


@pytest.fixture(scope="module", name="folder")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    make_repository(folder / "code/shop")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    settings = {"project_roots": [str(folder / "code")]}
    with running_server(
        folder, AGENTS, settings=settings, XDG_STATE_HOME=str(folder / "state")
    ) as running:
        yield running


@pytest.fixture
def talk(page: Page, server: Server) -> TalkPage:
    opened = TalkPage(page, server.url)
    opened.open()
    return opened


def test_project_is_chosen_remembered_and_shown(talk: TalkPage, folder: Path) -> None:
    talk.tab.get_by_label("Project", exact=True).select_option("shop")
    expect(talk.tab.get_by_label("own worktree")).not_to_be_checked()
    talk.tab.get_by_label("Agent", exact=True).select_option("writer")
    talk.send("to the project")
    wait_for_end(talk)
    expect(talk.tab.locator("[data-head-project]")).to_have_text("shop")
    expect(talk.tab.get_by_label("Project", exact=True)).to_be_hidden()
    assert (folder / "code/shop/where").read_text().strip() == f"{folder}/code/shop"
    (folder / "code/shop/where").unlink()
    (folder / "code/shop/said").unlink()

    talk.open()
    talk.tab.reload()
    expect(talk.tab.get_by_label("Project", exact=True)).to_have_value("shop")
    talk.tab.goto(f"{talk.url}/sessions?project=shop")
    expect(talk.tab.get_by_label("Project")).to_have_value("shop")
    expect(talk.tab.locator("[data-rows] > tr")).to_have_count(1)


def test_worktree_is_merged_from_the_head_line(talk: TalkPage, folder: Path) -> None:
    begin_in_worktree(talk, "Tidy up")
    branch = talk.tab.locator("[data-head-worktree] summary")
    expect(branch).to_contain_text("agent/tidy-up-")
    branch.click()
    talk.tab.get_by_role("button", name="Merge into main").click()
    expect(branch).to_contain_text("merged")
    assert (folder / "code/shop/said").read_text() == "Tidy up"
    assert len(run_git(folder / "code/shop", "worktree", "list").splitlines()) == 1


def test_discard_asks_before_changes_are_dropped(talk: TalkPage, folder: Path) -> None:
    begin_in_worktree(talk, "Try it")
    branch = talk.tab.locator("[data-head-worktree] summary")
    for answer in ("Keep it", "Discard the changes"):
        branch.click()
        talk.tab.get_by_role("button", name="Discard…").click()
        dialog = talk.tab.get_by_role("dialog")
        expect(dialog).to_contain_text("2 files not committed")
        dialog.get_by_role("button", name=answer).click()
    expect(branch).to_contain_text("discarded")
    assert run_git(folder / "code/shop", "branch", "--list", "agent/try*") == ""


def begin_in_worktree(talk: TalkPage, message: str) -> None:
    """A conversation with a worktree, whose agent has ended."""
    talk.tab.get_by_label("Project", exact=True).select_option("shop")
    talk.tab.get_by_label("own worktree").check()
    talk.tab.get_by_label("Agent", exact=True).select_option("writer")
    talk.send(message)
    wait_for_end(talk)


def wait_for_end(talk: TalkPage) -> None:
    """Until the conversation's agent has ended."""
    path = f"{talk.url}/api/sessions?status=succeeded&workflowId={talk.workflow_id()}"
    wait_for(lambda: bool(talk.tab.request.get(path).json()["sessions"]))
