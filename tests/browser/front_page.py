"""The front page as its tests speak of it."""

import re

from playwright.sync_api import Locator, Page, expect


class FrontPage:
    """The page in a tab."""

    def __init__(self, tab: Page, url: str) -> None:
        self.tab = tab
        self.url = url
        self.message = tab.get_by_label("Message to the agent")
        self.send_button = tab.get_by_role("button", name="Send", exact=True)
        self.stop_button = tab.get_by_role("button", name="Stop", exact=True)
        self.log = tab.get_by_role("log")
        self.texts = self.log.locator(".block--text")
        self.cards = self.log.locator("details")
        self.end = self.log.locator(".block--done")
        self.connection = tab.locator("[data-connection]")
        self.facts = tab.locator("[data-facts-panel]")
        self.sessions = tab.locator("[data-session-list] > li")
        self.problem = tab.locator("[data-problem]")
        self.scroller = tab.locator("[data-scroller]")

    def open(self, session_id: str | None = None) -> "FrontPage":
        """Load it, with a session or without."""
        fragment = "" if session_id is None else f"#session={session_id}"
        self.tab.goto(f"{self.url}/{fragment}")
        return self

    def send(self, message: str) -> None:
        """Write a message and send it as a person does."""
        self.message.fill(message)
        self.message.press("Enter")

    def session_id(self) -> str:
        """The session that the page shows."""
        expect(self.tab).to_have_url(re.compile(r"session=session-"))
        return self.tab.url.partition("session=")[2]

    def item(self, session_id: str) -> Locator:
        """A session in the list."""
        return self.tab.locator(f"[data-session-list] a[href$='session={session_id}']")

    def expect_end(self, text: str) -> None:
        """Wait for the last line."""
        expect(self.end).to_contain_text(text)
        expect(self.connection).to_have_text(re.compile("Ended"))

    def text(self) -> str:
        """All that the agent said, as it stands on the page."""
        return "\n".join(self.texts.locator("[data-text]").all_text_contents())


def numbered(count: int) -> str:
    """What the demo agent says to `count <count>`."""
    return "\n".join(f"line {number} of {count}" for number in range(1, count + 1))
