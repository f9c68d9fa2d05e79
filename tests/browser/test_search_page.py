"""The page that searches, in a real browser."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.server import HTTP, python_agent, running_server, wait_for

AGENTS = {
    "say": python_agent("print('the needle <b>here</b>')\nfor n in range(50): print('hay', n)")
}


def test_hit_opens_the_session_at_its_moment(page: Page, folder: Path) -> None:
    with running_server(folder, AGENTS) as server:
        session_id = server.invoke("say")
        server.wait_until_ended(session_id)
        search = f"{server.url}/api/search?q=needle"
        (result,) = wait_for(lambda: HTTP.get(search).json()["results"])

        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(f"{server.url}/search")
        page.get_by_role("searchbox").fill("needle")
        page.get_by_role("searchbox").press("Enter")
        hit = page.get_by_role("link", name="the needle <b>here</b>")
        expect(hit.locator("mark")).to_have_text("needle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
        expect(page.get_by_role("link", name="Search", exact=True)).to_have_attribute(
            "aria-current", "page"
        )

        hit.click()
        event_id = result["hits"][0]["id"]
        expect(page).to_have_url(re.compile(rf"/sessions/{session_id}\?at={event_id}$"))
        expect(page.get_by_text("the needle <b>here</b>").first).to_be_visible()
