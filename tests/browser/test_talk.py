"""Conversations with living agents: turns, approvals, questions, plans, what waits, and its end."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import talk_page
from tests.browser.chat_page import ChatPage
from tests.browser.talk_page import TalkPage
from tests.server import Server, running_server

pytestmark = pytest.mark.browser

BEYOND_THE_EDGE = """
(buttons) => {
  const edge = (element) => element.getBoundingClientRect().right;
  return buttons.filter((button) => edge(button) > edge(button.closest("article")))
    .map((button) => button.textContent);
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("talk")
    with running_server(folder, talk_page.AGENTS, XDG_STATE_HOME=str(folder)) as running:
        yield running


@pytest.fixture
def talk(page: Page, server: Server) -> TalkPage:
    return TalkPage(page, server.url)


@pytest.fixture
def other(browser: Browser, server: Server) -> Iterator[TalkPage]:
    """Somebody else's browser."""
    context = browser.new_context()
    yield TalkPage(context.new_page(), server.url)
    context.close()


def sessions_of(talk: TalkPage) -> int:
    """How many sessions the conversation has had."""
    url = f"{talk.url}/api/sessions?workflowId={talk.workflow_id()}"
    return len(talk.tab.request.get(url).json()["sessions"])


def test_turns_are_one_column_on_each_device_and_the_agent_remembers(
    talk: TalkPage, other: TalkPage
) -> None:
    talk.begin("hello")
    talk.expect_turns(1)
    other.open(talk.workflow_id())
    other.expect_turns(1)
    talk.send("again")
    talk.expect_turns(2)
    for seen in (talk, other):
        expect(seen.log).to_contain_text("I remember 1 earlier message")
        expect(seen.said).to_have_text(["hello", "again"])
    assert sessions_of(talk) == 1
    expect(talk.turn_ends.last.locator("[data-figures]")).to_have_text(
        re.compile(r"\d m?s · <\$0.01")
    )
    expect(talk.turn_ends.last.locator("[data-figures]")).to_have_attribute(
        "title", re.compile("output tokens")
    )
    expect(talk.log.locator("[data-name='system'], .row.notice")).to_have_count(0)

    talk.turn_ends.first.get_by_role("button", name="Retry").click()
    talk.expect_turns(3)
    expect(talk.said).to_have_text(["hello", "again", "hello"])
    talk.tab.reload()
    talk.expect_turns(3)
    expect(talk.said).to_have_text(["hello", "again", "hello"])
    assert sessions_of(talk) == 1


def test_retry_of_a_message_that_no_agent_has_taken_sends_it_once(talk: TalkPage) -> None:
    talk.begin("hello", "dies-first")
    expect(talk.turn_ends).to_contain_text("Failed")
    talk.turn_ends.get_by_role("button", name="Retry").click()
    talk.expect_turns(2)
    expect(talk.said).to_have_text(["hello", "hello"])
    talk.send("again")
    talk.expect_turns(3)
    expect(talk.log).to_contain_text("I remember 1 earlier message")


def allow(talk: TalkPage) -> None:
    talk.button("Allow once").click()


def deny_with_words(talk: TalkPage) -> None:
    talk.button("Deny with words…").click()
    talk.ask.get_by_label("Why not, or what to do instead").fill("Ask the clock instead.")
    talk.tab.keyboard.press("Enter")


def change(talk: TalkPage) -> None:
    talk.button("Change…").click()
    talk.ask.get_by_role("textbox", name="command").fill("date +%s")
    allow(talk)


def press_y(talk: TalkPage) -> None:
    talk.press("y")


def press_n(talk: TalkPage) -> None:
    talk.press("n")


def press_a(talk: TalkPage) -> None:
    talk.press("a")


ANSWERS = [
    # How a person answers; what the call's card says; what it opens to.
    (allow, "OK", "(not run, this is a demo) date -u +%Y"),
    (press_y, "OK", "Allowed by Chrome on Linux"),
    (press_n, "Denied", "Denied by Chrome on Linux"),
    (deny_with_words, "Denied", "Denied by Chrome on Linux: “Ask the clock instead.”"),
    (change, "OK", "(not run, this is a demo) date +%s"),
    (press_a, "OK", "Allowed for this session by Chrome on Linux"),
]


def test_a_command_is_allowed_denied_and_changed(talk: TalkPage) -> None:
    for number, (answer, word, inside) in enumerate(ANSWERS, start=1):
        talk.begin("approve") if number == 1 else talk.send("approve")
        expect(talk.open_asks).to_contain_text("Run this command?")
        expect(talk.open_asks.locator(".command")).to_have_text("date -u +%Y")
        expect(talk.state).to_have_text("Waits for you")
        answer(talk)
        talk.expect_turns(number)
        card = talk.cards.last
        expect(card.locator(".card-state")).to_have_text(word)
        card.locator("summary").click()
        expect(card).to_contain_text(inside)
        card.locator("summary").click()
        denied = talk.turn_ends.last.locator("[data-denied]")
        expect(denied).to_have_text("1 action was denied" if word == "Denied" else "")
        expect(talk.asks).to_have_count(0)

    # What was allowed for the session asks no more, and says so.
    talk.send("approve")
    talk.expect_turns(len(ANSWERS) + 1)
    talk.cards.last.locator("summary").click()
    expect(talk.cards.last).to_contain_text("Allowed by a rule")


def test_letters_that_are_typed_answer_nothing(talk: TalkPage) -> None:
    talk.begin("approve")
    expect(talk.open_asks).to_have_count(1)
    expect(talk.urgent).to_contain_text("demo-talk waits for you. Run this command? date -u")
    expect(talk.message).to_be_focused()
    talk.message.press_sequentially("yan")
    expect(talk.message).to_have_value("yan")
    expect(talk.open_asks).to_have_count(1)

    talk.message.fill("")
    talk.message.press("Escape")
    expect(talk.open_asks).to_be_focused()
    talk.tab.keyboard.press("Tab")
    expect(talk.open_asks.locator(".command")).to_be_focused()
    talk.tab.keyboard.press("n")
    expect(talk.message).to_be_focused()
    talk.expect_turns(1)


def test_an_edit_is_shown_as_a_change(talk: TalkPage) -> None:
    talk.begin("edit")
    expect(talk.ask).to_contain_text("Change this file?")
    expect(talk.ask.locator(".diff-path")).to_have_text(re.compile(r"/greeting\.py$"))
    expect(talk.ask.locator(".line[data-mark='-']")).to_have_count(2)
    expect(talk.ask.locator(".line[data-mark='+']").last).to_contain_text("and welcome")
    allow(talk)
    talk.expect_turns(1)
    expect(talk.cards.last.locator("summary")).to_contain_text(re.compile(r"\+2 \W2"))
    talk.cards.last.locator("summary").click()
    expect(talk.cards.last.locator(".line").first).to_be_visible()


def test_questions_have_choices_and_own_words(talk: TalkPage) -> None:
    talk.begin("ask")
    talk.button("Answer").click()
    expect(talk.ask.get_by_role("alert").first).to_be_visible()
    expect(talk.ask.get_by_role("radio", name="Red")).to_be_focused()
    talk.ask.get_by_label("Own words: Which colour do you like?").fill("Green")
    talk.ask.get_by_role("checkbox", name="Name").check()
    talk.ask.get_by_label("Own words: What should the greeting contain?").fill("a joke")
    talk.button("Answer").click()
    talk.expect_turns(1)
    expect(talk.log).to_contain_text("So you say: Green, Name, a joke.")
    asked = talk.log.get_by_role("group", name="Asked and answered")
    expect(asked).to_contain_text("Answered")
    expect(asked.locator(".asked-answer")).to_have_text(["Green", "Name, a joke"])


def test_a_plan_is_read_changed_and_approved(talk: TalkPage) -> None:
    talk.begin("hello")
    talk.expect_turns(1)
    talk.mode.select_option("plan")
    talk.send("What will you do?")
    expect(talk.ask.get_by_role("heading", name="Make the greeting friendlier")).to_be_visible()
    talk.button("Say what to change…").click()
    talk.ask.get_by_label("What to change in the plan").fill("No tests.")
    talk.ask.get_by_role("button", name="Keep planning").first.click()
    talk.expect_turns(2)
    expect(talk.log).to_contain_text("I think about it again")
    expect(talk.log).to_contain_text("“No tests.”")

    talk.send("And now?")
    talk.ask.locator("[data-option-kind='allow_session']").click()
    talk.expect_turns(3)
    expect(talk.log).to_contain_text("I carry it out, in mode acceptEdits.")
    expect(talk.mode).to_have_value("acceptEdits")


def test_the_first_answer_counts_and_the_others_see_it(talk: TalkPage, other: TalkPage) -> None:
    talk.begin("approve")
    expect(talk.open_asks).to_have_count(1)
    other.open(talk.workflow_id())
    other.button("Deny").click()
    expect(talk.ask_title).to_have_text("Denied by Chrome on Linux")
    talk.expect_turns(1)

    # This browser does not hear of it in time.
    talk.tab.route("**/api/agent-stream*", lambda route: route.abort())
    talk.tab.route("**/approval.onChange*", lambda route: route.abort())
    talk.send("approve")
    other.button("Allow once").wait_for()
    talk.tab.unroute("**/api/agent-stream*")
    talk.tab.reload()
    expect(talk.open_asks).to_have_count(1)

    def be_first(route: Route) -> None:
        with other.tab.expect_response("**/session.answer"):
            other.button("Deny").click()
        route.continue_()

    talk.tab.route("**/session.answer", be_first)
    talk.button("Allow once").click()
    expect(talk.asks.or_(talk.turn_ends.nth(1)).first).to_be_visible()
    talk.expect_turns(2)
    talk.cards.last.locator("summary").click()
    expect(talk.cards.last).to_contain_text("Denied")


def test_cards_are_loaded_once_an_agent_may_ask_and_a_failure_is_shown(talk: TalkPage) -> None:
    asked: list[str] = []

    def fail(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    talk.tab.route("**/static/js/approvals/card.js", fail)
    talk.begin("hello", "demo")
    talk.expect_end("Succeeded")
    assert asked == []
    talk.begin("approve")
    expect(talk.waits).to_contain_text("waits for your answer. A part of this")
    assert len(asked) == 1
    talk.tab.unroute("**/static/js/approvals/card.js")
    talk.tab.reload()
    expect(talk.open_asks).to_contain_text("Run this command?")
    talk.press("y")
    talk.expect_turns(1)


def test_several_wait_at_once_and_an_answer_goes_to_the_next(talk: TalkPage) -> None:
    talk.begin("Deploy it.", "thrice")
    expect(talk.open_asks).to_have_count(3)
    expect(talk.asks.locator(".ask-title")).to_have_text(
        ["Run this command?", "Open this address?", "Use Grep?"]
    )
    expect(talk.open_asks.last).to_contain_text("…and 12 more")
    talk.open_asks.nth(1).focus()
    talk.tab.keyboard.press("n")
    expect(talk.open_asks).to_have_count(2)
    expect(talk.open_asks.first).to_be_focused()
    talk.tab.keyboard.press("y")
    expect(talk.open_asks).to_have_count(1)
    expect(talk.open_asks.first).to_be_focused()
    talk.tab.keyboard.press("y")
    expect(talk.message).to_be_focused()
    talk.expect_turns(1)
    expect(talk.log.locator(".card-state")).to_have_text(["OK", "Denied", "OK"])


def test_an_approval_expires_before_ones_eyes(talk: TalkPage) -> None:
    talk.begin("approve", "hasty")
    expect(talk.ask.locator("[data-expiry]")).to_have_text(re.compile(r"Denied in \d s without"))
    expect(talk.ask_title).to_have_text("Expired, so denied")
    talk.expect_turns(1)
    expect(talk.cards.last.locator(".card-state")).to_have_text("Expired")


def test_messages_wait_and_can_be_changed_and_taken_back(talk: TalkPage) -> None:
    talk.begin("slow")
    expect(talk.log).to_contain_text("I count slowly")
    for message in ("one", "two", "three"):
        talk.send(message)
        expect(talk.queue).to_contain_text(message)
    talk.queue.get_by_role("button", name="Take back: two").click()
    expect(talk.queue.get_by_role("listitem")).to_have_count(2)
    talk.queue.get_by_role("button", name="Edit: three").click()
    expect(talk.message).to_have_value("three")
    expect(talk.message).to_be_focused()
    expect(talk.queue.get_by_role("listitem")).to_have_text(re.compile("one"))

    talk.stop_button.click()
    talk.expect_turns(1)
    expect(talk.turn_ends).to_contain_text("Stopped")
    expect(talk.queue).to_be_hidden()
    cancelled = talk.log.locator(".said--turn[data-state='cancelled']")
    expect(cancelled.locator(".bubble")).to_have_text(["two", "three", "one"])
    cancelled.last.get_by_role("button", name="Put it back").click()
    expect(talk.message).to_have_value("one\n\nthree")
    assert sessions_of(talk) == 1


def test_stop_twice_ends_an_agent_that_does_not_listen(talk: TalkPage) -> None:
    talk.begin("hello", "deaf")
    talk.stop_button.click()
    end = talk.tab.locator("[data-composer]").get_by_role("button", name="End the agent")
    end.click()
    expect(talk.state).to_have_text(re.compile("goes on with your next"))
    expect(talk.end).to_contain_text("Cancelled")


def test_what_waits_is_on_each_page_with_a_link_to_it(talk: TalkPage, other: TalkPage) -> None:
    talk.begin("approve")
    expect(talk.badge).to_contain_text(re.compile(r"\d+ waits? for you"))
    workflow_id = talk.workflow_id()
    for path in ("sessions", "search", "docs", "docs/events"):
        other.tab.goto(f"{talk.url}/{path}")
        expect(other.badge).to_be_visible()
        expect(other.tab).to_have_title(re.compile(r"^\(\d+\) "))
    other.badge.locator("summary").click()
    other.badge.locator(f"a[href*='{workflow_id}']").click()
    expect(other.open_asks).to_be_focused()
    other.tab.keyboard.press("y")
    talk.expect_turns(1)
    link = other.badge.locator(f"a[href*='{workflow_id}']")
    expect(link).to_have_count(0)


def test_what_waits_is_answered_on_the_page_of_its_session(talk: TalkPage, other: TalkPage) -> None:
    talk.begin("approve")
    expect(talk.open_asks).to_have_count(1)
    other.tab.goto(talk.session_url())
    expect(other.open_asks).to_contain_text("Run this command?")
    expect(other.urgent).to_contain_text("waits for you. Run this command?")
    other.tab.keyboard.press("y")
    expect(other.asks).to_have_count(0)
    talk.expect_turns(1)

    talk.send("ask")
    other.open_asks.get_by_role("radio", name="Blue").check()
    other.open_asks.get_by_role("checkbox", name="Name").check()
    talk.button("Skip").click()
    expect(other.ask_title).to_contain_text(re.compile("Denied|waits no longer"))
    talk.expect_turns(2)


def test_a_conversation_goes_on_after_its_agent_has_ended(talk: TalkPage) -> None:
    talk.begin("hello", "brief")
    expect(talk.state).to_have_text("Idle: goes on with your next message")
    expect(talk.connection).to_be_hidden()
    expect(talk.log.locator(".row.foot:visible")).to_have_count(0)
    talk.send("Do you remember?")
    expect(talk.log).to_contain_text("I remember 1 earlier message")
    talk.expect_turns(2)
    expect(talk.said).to_have_text(["hello", "Do you remember?"])
    assert sessions_of(talk) == 2
    talk.tab.reload()
    talk.to_the_top()
    expect(talk.said).to_have_text(["hello", "Do you remember?"])


def test_mode_of_an_ended_conversation_is_chosen_for_the_next_message(talk: TalkPage) -> None:
    talk.begin("hello", "brief")
    expect(talk.state).to_contain_text("goes on with your next message")
    talk.mode.select_option("plan")
    talk.send("What will you do?")
    expect(talk.ask.get_by_role("heading", name="Make the greeting friendlier")).to_be_visible()
    expect(talk.mode).to_have_value("plan")
    assert sessions_of(talk) == 2


def test_a_lost_conversation_says_so_and_begins_anew(talk: TalkPage, server: Server) -> None:
    talk.begin("hello", "brief")
    expect(talk.state).to_have_text("Idle: goes on with your next message")
    shutil.rmtree(server.folder / "agent-stream")
    talk.send("Still there?")
    expect(talk.log.locator(".row.lost")).to_contain_text("no longer knows this conversation")
    expect(talk.state).to_have_text("Begins anew with your next message")
    talk.send("hello again")
    expect(talk.log.locator(".row.text").last).to_contain_text(re.compile("slow|remember"))
    expect(talk.state).to_have_text(re.compile("Idle"))


def test_a_talk_is_answered_and_replayed_on_a_phone(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    talk = TalkPage(page, server.url).begin("approve plan ask")
    for title in ("Run this command?", "Go on with this plan?", "Change this file?"):
        expect(talk.open_asks).to_contain_text(title)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        beyond = talk.open_asks.locator("button:visible").evaluate_all(BEYOND_THE_EDGE)
        assert beyond == []
        talk.open_asks.locator("[data-option-kind='allow_once']").click()
    expect(talk.open_asks).to_contain_text("The agent asks")
    talk.button("Skip").click()
    talk.expect_turns(1)
    assert ChatPage(page, server.url).scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0
