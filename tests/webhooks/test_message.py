"""What is sent for an event, by each template."""

import base64
import json
from email.header import decode_header, make_header

import pytest

from tests.webhooks.receiver import KEY, Received, is_signed
from webapp.webhooks.events import EVENTS, Event
from webapp.webhooks.message import compose, sign

EVENT = Event(
    key="session-1.2",
    kind="approval",
    agent="claude",
    session_id="session-1",
    workflow_id="workflow-1",
    turn=3,
    approval_id="session-1.2",
    text="rm -r build",
    title="Clean up & <go>",
    made_at="2026-11-28T09:00:00.000Z",
)
LINK = "https://agents.example.org/#workflow=workflow-1&session=session-1&approval=session-1.2"


def composed(template: str, event: Event = EVENT, public_url: str | None = None) -> Received:
    now = 1_795_000_000
    message = compose(event, template, key=KEY, now_seconds=now, public_url=public_url)
    headers = {name.lower(): value for name, value in message.headers.items()}
    return Received("/", headers, message.body)


def test_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's own libraries.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_json_says_all_and_its_id_is_that_of_the_event() -> None:
    request = composed("json", public_url="https://agents.example.org")
    content = json.loads(request.body)
    assert (content["type"], content["timestamp"]) == ("agent.approval", EVENT.made_at)
    assert content["data"]["approvalId"] == "session-1.2"
    assert content["data"]["url"] == LINK
    assert request.headers["webhook-id"].startswith("msg_")
    assert request.headers["webhook-id"] == composed("slack").headers["webhook-id"]
    other = composed("json", EVENT._replace(key="session-1.3"))
    assert request.headers["webhook-id"] != other.headers["webhook-id"]
    assert not is_signed(request)  # it is old
    assert "url" not in json.loads(composed("json").body)["data"]


def test_ntfy_has_its_title_in_a_header_and_opens_the_approval() -> None:
    request = composed("ntfy", public_url="https://agents.example.org")
    assert request.headers["title"] == "claude needs approval"
    assert (request.headers["priority"], request.headers["click"]) == ("high", LINK)
    assert request.body == b"rm -r build\nClean up & <go>"


@pytest.mark.parametrize("agent", ["zoë\r\nX-Evil: 1", "日本" * 60])
def test_no_name_adds_a_header(agent: str) -> None:
    title = composed("ntfy", EVENT._replace(agent=agent)).headers["title"]
    assert "\n" not in title
    assert "\r" not in title
    assert str(make_header(decode_header(title))).startswith(agent[:3])


def test_slack_gets_text_that_it_does_not_read_as_markup() -> None:
    text = json.loads(composed("slack", public_url="https://agents.example.org").body)["text"]
    assert text == (
        f"*claude needs approval* (<{LINK}|open>)\nrm -r build\nClean up &amp; &lt;go&gt;"
    )


@pytest.mark.parametrize("template", ["json", "ntfy", "slack"])
@pytest.mark.parametrize("kind", [*EVENTS, "test"])
def test_each_kind_has_a_message(template: str, kind: str) -> None:
    bare = Event("k", kind, "claude", None, None, None, None, None, None, EVENT.made_at)
    assert composed(template, bare).body
