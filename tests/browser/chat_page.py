"""The chat page as its tests speak of it."""

import re

from playwright.sync_api import Locator, Page, expect


class ChatPage:
    """The page in a tab."""

    def __init__(self, tab: Page, url: str) -> None:
        self.tab = tab
        self.url = url
        self.message = tab.get_by_label("Message to the agent")
        self.send_button = tab.get_by_role("button", name="Send", exact=True)
        self.stop_button = tab.locator("[data-composer]").get_by_role("button", name="Stop")
        self.log = tab.get_by_role("log")
        self.said = self.log.locator(".bubble:visible")
        self.texts = self.log.locator(".row.text, .row.output")
        self.cards = self.log.locator("details.card")
        self.turns = self.log.locator(".row.lead")
        self.end = self.log.locator(".row.foot").last
        self.details = self.log.get_by_role("button", name=re.compile("^Details")).last
        self.connection = tab.locator("[data-connection]")
        self.facts = tab.get_by_role("complementary", name="Session")
        self.title = tab.get_by_role("heading", level=1)
        self.menu = tab.locator("[data-menu-button]")
        self.stages = tab.get_by_role("list", name="Stages").get_by_role("listitem")
        self.gate = tab.locator("[data-gate]")
        self.closed = tab.locator("[data-closed]")
        self.problem = tab.locator("[data-problem]")
        self.refused = tab.get_by_role("alert").filter(has_text="cannot be shown")
        self.workflows = tab.locator("[data-workflow-list] li")
        self.scroller = tab.locator("[data-scroller]")
        self.jump = tab.get_by_role("button", name="Jump to latest")

    def open(self, workflow_id: str | None = None) -> "ChatPage":
        """Load it, with a workflow or without."""
        fragment = "" if workflow_id is None else f"#workflow={workflow_id}"
        self.tab.goto(f"{self.url}/{fragment}")
        return self

    def send(self, message: str) -> None:
        """Write a message and send it as a person does."""
        self.message.fill(message)
        self.message.press("Enter")

    def workflow_id(self) -> str:
        """The workflow that the page shows."""
        expect(self.tab).to_have_url(re.compile(r"workflow=workflow-"))
        found = re.search(r"workflow=([\w-]+)", self.tab.url)
        assert found is not None
        return found[1]

    def item(self, workflow_id: str) -> Locator:
        """A workflow in the list."""
        return self.tab.locator(f"[data-workflow-list] a[href$='workflow={workflow_id}']")

    def choose(self, verb: str) -> None:
        """What the workflow's menu offers."""
        self.menu.click()
        self.tab.locator(".menu-list").get_by_role("button", name=verb).click()

    def expect_end(self, text: str) -> None:
        """Wait for the last turn's end."""
        expect(self.end).to_contain_text(text)
        expect(self.connection).to_be_hidden()

    def to_the_top(self) -> None:
        """Where the conversation begins."""
        self.scroller.evaluate("element => element.scrollTo(0, 0)")

    def text(self) -> str:
        """All that the agent said, as it stands on the page."""
        return "\n".join(self.texts.locator("[data-text]").all_text_contents())

    def distance_to_end(self) -> float:
        """How many pixels of the conversation lie below what is in sight."""
        return float(self.scroller.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight"))


def numbered(count: int) -> str:
    """What the demo agent says to `count <count>`."""
    return "\n".join(f"line {number} of {count}" for number in range(1, count + 1))
