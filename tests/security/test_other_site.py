"""A real browser in which another web site tries to start agents here."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.faults.surroundings import folders, row_count
from tests.server import Server, running_server

pytestmark = pytest.mark.browser

ATTACK = """
async ([url, workflowId]) => {
  const invoke = `${url}/api/trpc/workflow.invokeAgent`;
  const start = `${url}/api/agent-stream?workflowId=${workflowId}&message=true`;
  const body = JSON.stringify({ workflowId, message: "true" });
  const json = { "Content-Type": "application/json" };
  const asked = [
    fetch(invoke, { method: "POST", body, headers: json, credentials: "include" }),
    fetch(invoke, { method: "POST", body, mode: "no-cors", credentials: "include" }),
    fetch(start, { mode: "no-cors", credentials: "include" }),
  ];
  navigator.sendBeacon(invoke, body);
  navigator.sendBeacon(invoke, new Blob([body], { type: "text/plain" }));
  const stream = new EventSource(start, { withCredentials: true });
  asked.push(new Promise((end) => { stream.onerror = stream.onopen = end; }));
  for (const [name, address] of [["img", start], ["iframe", start], ["script", start]]) {
    const element = document.createElement(name);
    asked.push(new Promise((end) => { element.onload = element.onerror = end; }));
    try {
      element.src = address;
    } catch {
      element.onerror();  // the policy of a page of ours
    }
    document.body.append(element);
  }
  const frame = document.createElement("iframe");
  frame.name = "target";
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { action: invoke, method: "post", enctype: "text/plain", target: "target" });
  const field = document.createElement("input");
  Object.assign(field, { name: body.slice(0, -1) + ',"x":"', value: '"}' });
  form.append(field);
  document.body.append(form);
  asked.push(new Promise((end) => { frame.onload = end; }));
  form.submit();
  await Promise.allSettled(asked);
  stream.close();
}
"""
READ = """
async (url) => {
  try { return await (await fetch(url + "/api/sessions")).text(); } catch { return "refused"; }
}
"""


class Site(BaseHTTPRequestHandler):
    """An empty page, whatever is asked."""

    def do_GET(self) -> None:
        """Any address."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><body>")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants to know."""


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of the other web site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that want no token: who is on this machine is let in."""
    with running_server(tmp_path_factory.mktemp("other-site")) as started:
        yield started


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser to which evil.example is a name of this machine."""
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path(), args=[*ARGUMENTS, rules]
        )
        yield chromium.new_page()
        chromium.close()


@pytest.mark.parametrize("name", ["evil.example", "localhost", "127.0.0.1"])
def test_another_site_starts_nothing_and_reads_nothing(
    server: Server, site: int, page: Page, name: str
) -> None:
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("demo", "count 1 0", workflow_id))
    before = row_count(server), len(folders(server))
    page.goto(f"http://{name}:{site}/")
    page.evaluate(ATTACK, [server.url, workflow_id])
    assert page.evaluate(READ, server.url) == "refused"
    start = f"{server.url}/api/agent-stream?workflowId={workflow_id}&message=true"
    with page.expect_response(start) as answer:  # a link, followed
        page.evaluate("address => { location.href = address; }", start)
    assert answer.value.status == 403
    assert (row_count(server), len(folders(server))) == before


def test_name_that_was_bound_to_this_machine_gets_nothing(server: Server, page: Page) -> None:
    workflow_id = server.create_workflow()
    before = row_count(server), len(folders(server))
    url = f"http://evil.example:{server.port}"
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 421
    page.evaluate(ATTACK, [url, workflow_id])
    assert "sessions" not in json.loads(page.evaluate(READ, url))
    assert (row_count(server), len(folders(server))) == before
