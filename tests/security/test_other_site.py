"""A real browser in which another web site tries to start agents here."""

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.faults.surroundings import folders, row_count
from tests.server import Server, running_server, wait_for

pytestmark = pytest.mark.browser

TOKEN = "token-of-a-lan-4711"

ATTACK = """
async ([url, workflowId]) => {
  const invoke = `${url}/api/trpc/workflow.invokeAgent`;
  const start = `${url}/api/agent-stream?workflowId=${workflowId}&message=true`;
  const body = JSON.stringify({ workflowId, message: "true" });
  const json = { "Content-Type": "application/json" };
  const asked = [
    fetch(invoke, { method: "POST", body, headers: json, credentials: "include" }),
    fetch(invoke, { method: "POST", body, mode: "no-cors", credentials: "include" }),
    fetch(start, { mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer" }),
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
SPECULATE = """
([kind, url]) => {
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  const rule = { source: "list", urls: [url], eagerness: "immediate" };
  rules.textContent = JSON.stringify({ [kind]: [rule] });
  document.head.append(rules);
}
"""
FOLLOW = """
(url) => {
  window.followed = [];
  const stream = new EventSource(url);
  stream.addEventListener("message", (event) => followed.push(JSON.parse(event.data).content));
  stream.addEventListener("done", () => { followed.push("done"); stream.close(); });
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
    folder = tmp_path_factory.mktemp("other-site")
    with running_server(folder, AGENT_STREAM_ACCESS_LOG="1") as started:
        yield started


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser to which names of example are names of this machine."""
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP *.lan.example 127.0.0.1"
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


def stream_statuses(server: Server) -> list[str]:
    """How each request for a stream was answered, by the server's access log."""
    return re.findall(r"GET /api/agent-stream (\d+)", server.output.read_text())


@pytest.mark.parametrize("kind", ["prefetch", "prerender"])
@pytest.mark.parametrize("name", ["evil.example", "localhost", "127.0.0.1"])
def test_another_site_starts_nothing_by_speculation(
    server: Server, site: int, page: Page, name: str, kind: str
) -> None:
    workflow_id = server.create_workflow()
    before, asked = row_count(server), len(stream_statuses(server))
    page.goto(f"http://{name}:{site}/")
    start = f"{server.url}/api/agent-stream?workflowId={workflow_id}&message=true"
    page.evaluate(SPECULATE, [kind, start])
    wait_for(lambda: len(stream_statuses(server)) > asked)
    assert set(stream_statuses(server)[asked:]) == {"403"}
    assert row_count(server) == before


def test_address_that_is_typed_starts_nothing(server: Server, page: Page) -> None:
    workflow_id = server.create_workflow()
    before = row_count(server)
    start = f"{server.url}/api/agent-stream?workflowId={workflow_id}&message=true"
    answer = page.goto(start)
    assert answer is not None
    assert answer.status == 403
    assert row_count(server) == before


def test_event_source_starts_an_agent_and_reconnects(server: Server, page: Page) -> None:
    workflow_id = server.create_workflow()
    before = row_count(server)
    page.goto(server.url)
    start = f"{server.url}/api/agent-stream?workflowId={workflow_id}&message=count+40+100"
    page.evaluate(FOLLOW, start)
    wait_for(lambda: page.evaluate("followed.length >= 2"))
    for pid in server.worker_pids():
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: page.evaluate("followed.at(-1) === 'done'"))
    lines = [line for line in page.evaluate("followed") if line.startswith("line ")]
    assert lines == [f"line {number} of 40\n" for number in range(1, 41)]
    assert row_count(server) == before + 1


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


def test_host_beside_ours_starts_nothing_without_tls(tmp_path: Path, site: int, page: Page) -> None:
    settings = {"allowed_hosts": ["agents.lan.example"]}
    with running_server(tmp_path, settings=settings, AGENT_STREAM_TOKEN=TOKEN) as server:
        url = f"http://agents.lan.example:{server.port}"
        workflow_id = server.create_workflow()
        page.goto(f"{url}/login")
        page.fill("[name=token]", TOKEN)
        page.click("[type=submit]")
        page.wait_for_url(f"{url}/")
        before = row_count(server)
        page.goto(f"http://evil.lan.example:{site}/")
        page.evaluate(ATTACK, [url, workflow_id])
        assert row_count(server) == before

        page.goto(url)
        start = f"{url}/api/agent-stream?workflowId={workflow_id}&message=count+1+0"
        page.evaluate(FOLLOW, start)
        wait_for(lambda: page.evaluate("followed.at(-1) === 'done'"))
        assert row_count(server) == before + 1
