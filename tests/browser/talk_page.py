"""Conversations with living agents as their tests speak of them, and agents to hold them with."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import Server, python_agent
from webapp.agents.profiles import BUILT_IN

_DEMO = BUILT_IN["demo-talk"]


def demo(**options: object) -> dict[str, object]:
    """The demo agent that talks, with other options."""
    return {
        "command": list(_DEMO.command),
        "resume_command": list(_DEMO.resume_command or ()),
        "talk": "claude",
        "dialect": "claude",
        "env": ["XDG_STATE_HOME"],
    } | options


_ASKS_THRICE = """
import json
def say(**line): print(json.dumps(line)); sys.stdout.flush()
CALLS = [
    ("Bash", {"command": "git push origin fix-cart && make deploy", "description": "Push the fix"}),
    ("WebFetch", {"url": "https://example.com/cart", "prompt": "What is known of it?"}),
    ("Grep", {"pattern": "password", "path": "/etc"} | {f"n{n}": n for n in range(50)}),
]
waiting = set()
for text in sys.stdin:
    line = json.loads(text)
    if line["type"] == "control_request":
        say(type="control_response", response={
            "subtype": "success", "request_id": line["request_id"], "response": {}})
    elif line["type"] == "user":
        say(**line, isReplay=True)
        for number, (tool, given) in enumerate(CALLS):
            block = {"type": "tool_use", "id": f"t{number}", "name": tool, "input": given}
            say(type="assistant", message={"role": "assistant", "content": [block]})
        for number, (tool, given) in enumerate(CALLS):
            waiting.add(f"r{number}")
            say(type="control_request", request_id=f"r{number}", request={
                "subtype": "can_use_tool", "tool_name": tool, "input": given,
                "tool_use_id": f"t{number}"})
    elif line["type"] == "control_response":
        answer = line["response"]
        waiting.discard(answer["request_id"])
        is_allowed = answer["response"]["behavior"] == "allow"
        say(type="user", message={"role": "user", "content": [{
            "type": "tool_result", "tool_use_id": "t" + answer["request_id"][1:],
            "content": "done" if is_allowed else "refused", "is_error": not is_allowed}]})
        if not waiting:
            text = {"type": "text", "text": "All answered."}
            say(type="assistant", message={"role": "assistant", "content": [text]})
            say(type="result", subtype="success", is_error=False, terminal_reason="completed",
                total_cost_usd=0.01, usage={})
"""

# The first time it dies before it takes a message; then it is the demo agent.
_DIES_FIRST = f"""
import os
mark = os.path.join(os.environ["XDG_STATE_HOME"], "has-died")
if os.path.exists(mark):
    os.execv(sys.executable, {[part for part in _DEMO.command if "{mode}" not in part]!r})
for line in sys.stdin:
    if '"type":"user"' in line:
        open(mark, "w").close()
        sys.exit(1)
"""

AGENTS = {
    "demo-talk": demo(),
    "hasty": demo(approval_seconds=4),
    "brief": demo(idle_seconds=1),
    "thrice": python_agent(_ASKS_THRICE, talk="claude", dialect="claude") | {"message": None},
    "dies-first": python_agent(_DIES_FIRST, talk="claude", dialect="claude", env=["XDG_STATE_HOME"])
    | {"message": None},
    "deaf": python_agent("time.sleep(600)", talk="claude", dialect="claude") | {"message": None},
}
for _profile in AGENTS.values():
    if _profile.get("message", "") is None:
        del _profile["message"]


class TalkPage(ChatPage):
    """A conversation with a living agent, in a tab."""

    def __init__(self, tab: Page, url: str) -> None:
        super().__init__(tab, url)
        self.waits = tab.get_by_role("region", name="Waits for you")
        self.asks = self.waits.locator("article")
        self.ask = self.asks.first
        self.ask_title = self.ask.locator(".ask-title")
        self.open_asks = tab.locator("article.ask:not([data-resolved])")
        self.queue = tab.get_by_role("region", name="Messages that wait")
        self.turn_ends = self.log.locator(".row.turn-line")
        self.state = tab.locator("[data-head-line] [data-state]")
        self.mode = tab.get_by_label(re.compile("^Mode:"))
        self.badge = tab.locator("[data-waits]")
        self.urgent = tab.locator("[data-urgent]")

    def begin(self, message: str, agent: str = "demo-talk") -> "TalkPage":
        """A new conversation."""
        self.open()
        self.tab.get_by_label("Agent", exact=True).select_option(agent)
        self.send(message)
        return self

    def expect_turns(self, count: int) -> None:
        """Wait until this many turns have ended, and the agent rests."""
        expect(self.turn_ends).to_have_count(count)
        expect(self.state).to_have_text(re.compile("Idle"))

    def session_url(self) -> str:
        """The page of the conversation's newest session."""
        url = f"{self.url}/api/sessions?workflowId={self.workflow_id()}"
        session_id = self.tab.request.get(url).json()["sessions"][0]["sessionId"]
        return f"{self.url}/sessions/{session_id}"

    def button(self, name: str) -> Locator:
        """A button of the first card."""
        return self.open_asks.first.get_by_role("button", name=name, exact=True)

    def press(self, key: str) -> None:
        """A key, while nobody types."""
        self.scroller.focus()
        self.tab.keyboard.press(key)


# --- states for the gallery -------------------------------------------------------------


def _talk(chat: ChatPage) -> TalkPage:
    return TalkPage(chat.tab, chat.url)


def talk_answer(chat: ChatPage, _server: Server) -> None:
    page = _talk(chat).begin("hello")
    page.expect_turns(1)
    page.send("Show me a table, and think.")
    page.expect_turns(2)


def talk_working(chat: ChatPage, _server: Server) -> None:
    page = _talk(chat).begin("slow")
    expect(page.log).to_contain_text("I count slowly")
    page.send("And what about the tests?")
    expect(page.queue.get_by_role("listitem")).to_have_count(1)
    page.send("Then write the changelog, please: what, and why.")
    expect(page.queue.get_by_role("listitem")).to_have_count(2)


def talk_stopped(chat: ChatPage, server: Server) -> None:
    talk_working(chat, server)
    page = _talk(chat)
    page.stop_button.click()
    page.expect_turns(1)


def approval_command(chat: ChatPage, _server: Server) -> None:
    expect(_talk(chat).begin("approve").ask).to_contain_text("date -u")


def approval_changed(chat: ChatPage, server: Server) -> None:
    approval_command(chat, server)
    page = _talk(chat)
    page.button("Change…").click()
    page.button("Deny with words…").click()


def approval_edit(chat: ChatPage, _server: Server) -> None:
    expect(_talk(chat).begin("edit").ask).to_contain_text("Hello")


def approvals_several(chat: ChatPage, _server: Server) -> None:
    page = _talk(chat).begin("Deploy it.", "thrice")
    expect(page.open_asks).to_have_count(3)
    page.badge.locator("summary").click()


def approval_expiring(chat: ChatPage, _server: Server) -> None:
    expect(_talk(chat).begin("approve", "hasty").ask).to_contain_text("without an answer")


def approval_expired(chat: ChatPage, server: Server) -> None:
    approval_expiring(chat, server)
    expect(_talk(chat).ask).to_contain_text("Expired")


def question(chat: ChatPage, _server: Server) -> None:
    page = _talk(chat).begin("ask")
    page.ask.get_by_role("radio", name="Blue").check()


def plan(chat: ChatPage, _server: Server) -> None:
    expect(_talk(chat).begin("plan").ask).to_contain_text("friendlier")


def talk_history(chat: ChatPage, server: Server) -> None:
    approval_command(chat, server)
    page = _talk(chat)
    page.button("Allow once").click()
    page.expect_turns(1)
    page.send("edit")
    page.button("Deny").click()
    page.expect_turns(2)
    page.send("ask")
    page.ask.get_by_role("radio", name="Blue").check()
    page.ask.get_by_role("checkbox", name="Name").check()
    page.button("Answer").click()
    page.expect_turns(3)
    page.send("plan")
    for title in ("Go on with this plan?", "Change this file?"):
        expect(page.open_asks).to_contain_text(title)
        page.press("y")
    page.expect_turns(4)
    page.to_the_top()
    page.cards.first.locator("summary").click()
    page.cards.nth(1).locator("summary").click()


def talk_ended(chat: ChatPage, _server: Server) -> None:
    page = _talk(chat).begin("hello", "brief")
    expect(page.state).to_contain_text("goes on with your next message")


def mode_chosen(chat: ChatPage, server: Server) -> None:
    talk_ended(chat, server)
    _talk(chat).mode.select_option("plan")


def card_not_loaded(chat: ChatPage, _server: Server) -> None:
    chat.tab.route("**/approvals/card.js", lambda route: route.abort())
    page = _talk(chat).begin("approve")
    expect(page.waits).to_contain_text("Reload the page")


def _asked_on_the_session_page(chat: ChatPage, message: str, agent: str, count: int) -> None:
    page = _talk(chat).begin(message, agent)
    expect(page.open_asks).to_have_count(count)
    chat.tab.goto(page.session_url())
    expect(page.open_asks).to_have_count(count)


def session_asks(chat: ChatPage, _server: Server) -> None:
    _asked_on_the_session_page(chat, "edit", "demo-talk", 1)


def session_questions(chat: ChatPage, _server: Server) -> None:
    _asked_on_the_session_page(chat, "ask", "demo-talk", 1)


def session_asks_several(chat: ChatPage, _server: Server) -> None:
    _asked_on_the_session_page(chat, "Deploy it.", "thrice", 3)


def waits_elsewhere(chat: ChatPage, server: Server) -> None:
    approval_command(chat, server)
    chat.tab.goto(f"{server.url}/search")
    badge = _talk(chat).badge
    badge.locator("summary").click()


def notices_elsewhere(chat: ChatPage, server: Server) -> None:
    """What waits, and what has ended while nobody looked."""
    server.wait_until_ended(server.invoke("demo", "fail"))
    server.wait_until_ended(server.invoke("demo", "count 1 0"))
    waits_elsewhere(chat, server)
    expect(_talk(chat).badge.get_by_role("link", name="demo failed").first).to_be_visible()


def notifications_offered(chat: ChatPage, _server: Server) -> None:
    chat.tab.add_init_script("window.Notification = class { static permission = 'default'; }")
    _talk(chat).begin("slow")
    expect(chat.tab.locator("[data-offer]")).to_be_visible()


STATES: tuple[Callable[[ChatPage, Server], None], ...] = (
    talk_answer, talk_working, talk_stopped, talk_history, talk_ended,
    approval_command, approval_changed, approval_edit, approvals_several, approval_expiring,
    approval_expired, question, plan, waits_elsewhere, notices_elsewhere, notifications_offered,
    mode_chosen, card_not_loaded, session_asks, session_questions, session_asks_several,
)  # fmt: skip
