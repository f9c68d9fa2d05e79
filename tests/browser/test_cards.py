"""What an agent does, as cards by its kind."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import card_page
from tests.browser.chat_page import ChatPage
from tests.server import Server, running_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("cards"), card_page.AGENTS) as running:
        yield running


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    chat = ChatPage(page, server.url)
    card_page.begin(chat, server)
    return chat


def card(chat: ChatPage, text: str) -> Locator:
    """The card of this head, opened."""
    row = chat.log.locator(".row.tool").filter(has_text=text).first
    row.locator("summary").first.click()
    return row


def test_each_kind_of_work_has_its_card(chat: ChatPage) -> None:
    heads = chat.log.locator("[data-rows] > .row.tool:not([hidden]) > details > summary")
    expect(heads).to_have_count(7)
    shown = [re.sub(r"\s+", " ", text).strip() for text in heads.all_inner_texts()]
    assert shown == [
        "Read 2 files, 1 search cart.py, till.py, round OK",
        "Task Find who rounds 1 call OK",
        "Edit /srv/shop/cart.py +1 \u22122 OK",
        "pytest -q tests/test_cart.py Exit code 1",
        "pip install -U pytest Denied",
        "Read /srv/shop/gone.py Failed",
        "WebSearch banker's rounding OK",
    ]


def test_a_command_opens_to_what_it_printed(chat: ChatPage) -> None:
    command = card(chat, "pytest -q")
    expect(command.locator(".command")).to_have_text("pytest -q tests/test_cart.py")
    expect(command).to_contain_text("Run the tests")
    expect(command.locator("[data-label]")).to_have_text("Output, exit code 1")
    expect(command.locator("[data-result] [data-text]")).to_have_text("1 failed in 0.2s")
    failed = card(chat, "gone.py")
    expect(failed.locator("[data-result] [data-text]")).to_have_text("File does not exist.")


def test_an_edit_opens_to_its_change(chat: ChatPage) -> None:
    edit = card(chat, "+1")
    expect(edit.locator(".line[data-mark='-']")).to_have_text(["a = 1", "b = 2"])
    expect(edit.locator(".line[data-mark='+']")).to_have_text("a = 3")
    expect(edit.locator(".line[data-mark='+']")).to_have_css("display", "grid")


def test_reads_are_folded_and_a_subagent_works_in_its_call(chat: ChatPage) -> None:
    run = card(chat, "Read 2 files")
    expect(run.locator("[data-looks] > .row")).to_have_count(3)
    run.locator("[data-looks] > .row").nth(1).locator("summary").click()
    expect(run).to_contain_text("import cart")

    task = card(chat, "Find who rounds")
    inner = task.get_by_role("group", name="What the subagent does")
    expect(inner).to_contain_text("I look for it.")
    inner.locator("summary").click()
    expect(inner).to_contain_text("cart.py:2: round(")
    expect(task.locator("[data-result] [data-text]").last).to_have_text("Only cart.py rounds.")
    expect(chat.log.locator("[data-rows] > .row.text")).to_have_count(2)


def test_plan_retries_and_the_end_are_quiet(chat: ChatPage) -> None:
    plan = chat.log.get_by_role("group", name="Plan")
    expect(plan).to_have_count(1)
    expect(plan).to_contain_text("2 of 3 done")
    expect(chat.log.locator(".row.notice")).to_have_text("API error 500, retry 4 of 10 in 20 s")
    expect(chat.log.locator(".row.tool--other")).to_have_count(0)
    end = re.sub(r"\s+", " ", chat.end.locator(".foot-line").inner_text())
    assert re.fullmatch(r"Succeeded [\d.]+ m?s · \$0.03 1 action was denied .*", end)
    expect(chat.turns.last).not_to_have_text(re.compile(r"\d:\d\d:\d\d"))
    expect(chat.connection).to_be_hidden()


def test_code_has_the_colours_of_its_language_once_it_is_whole(chat: ChatPage) -> None:
    code = chat.texts.last.locator("pre code")
    expect(code.locator("[data-colour=k]").first).to_have_text("def")
    expect(code.locator("[data-colour=c]")).to_have_text("# Rounded once, at the end.")
    assert code.inner_text().rstrip() == card_page.CODE.split("```")[1].partition("\n")[2].rstrip()
