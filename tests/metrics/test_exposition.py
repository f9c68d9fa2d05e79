"""The text that Prometheus reads, by the parser of its own client."""

from collections import Counter

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from webapp.metrics.exposition import expose
from webapp.metrics.memory import Memory
from webapp.metrics.meter import BUCKETS, Meter

Samples = dict[tuple[str, ...], float]


def samples(meter: Meter, sessions: dict[str, int] | None = None) -> Samples:
    """Each number by its name and the values of its labels."""
    body, content_type = expose(meter.totals(), sessions, "")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name.removeprefix("agent_stream_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


@pytest.fixture
def meter() -> Meter:
    """One that has counted nothing."""
    return Meter(Memory(1), 0)


def test_what_was_never_counted_is_nought(meter: Meter) -> None:
    found = samples(meter)
    for name in ("events_sent_total", "bytes_sent_total", "lock_waits_total"):
        assert found[name,] == 0
    assert found["workers",] == 0
    assert found["invoke_seconds_count",] == 0


def test_each_thing_that_is_counted_has_its_number(meter: Meter) -> None:
    meter.publish({"session": 7})
    meter.count_request("GET", "/api/sessions/<session_id>", 200)
    meter.count_request("GET", "/api/sessions/<session_id>", 200)
    meter.count_request("POST", "(none)", 404)
    meter.count_sent(3, 450)
    meter.count_runner_failure("start")
    meter.count_lock_wait(1.5)
    found = samples(meter, {"running": 2, "lost": 1})
    assert found["requests_total", "GET", "/api/sessions/<session_id>", "200"] == 2
    assert found["requests_total", "POST", "(none)", "404"] == 1
    assert (found["events_sent_total",], found["bytes_sent_total",]) == (3, 450)
    assert found["runner_failures_total", "start"] == 1
    assert (found["lock_waits_total",], found["lock_wait_seconds_total",]) == (1, 1.5)
    assert (found["workers",], found["streams_open", "session"]) == (1, 7)
    assert (found["sessions", "running"], found["sessions", "lost"]) == (2, 1)


def test_invokes_are_in_the_bucket_of_their_time_and_all_longer_ones(meter: Meter) -> None:
    for seconds in (0.0005, 0.001, 0.0011, 0.02, 60.0):
        meter.count_invoke(seconds)
    found = samples(meter)
    assert found["invoke_seconds_count",] == 5
    assert found["invoke_seconds_sum",] == pytest.approx(60.0226)
    counts = [found["invoke_seconds_bucket", str(bound)] for bound in (*BUCKETS, "+Inf")]
    assert counts == [2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]


def test_database_that_cannot_tell_leaves_the_rest_there(meter: Meter) -> None:
    found = samples(meter, None)
    assert ("workers",) in found
    assert not [name for name, *_labels in found if name == "sessions"]


def test_client_that_asks_for_openmetrics_gets_it() -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    body, content_type = expose(Counter({"lock_waits": 4}), {"lost": 1}, accept)
    assert content_type.startswith("application/openmetrics-text")
    families = list(openmetrics.text_string_to_metric_families(body.decode()))  # type: ignore[no-untyped-call]
    assert "agent_stream_lock_waits" in {family.name for family in families}
