"""The numbers in the text formats of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from webapp.metrics.memory import GAUGE
from webapp.metrics.meter import BUCKETS, SEPARATOR


def expose(
    totals: Counter[str], sessions: Mapping[str, int] | None, accept: str
) -> tuple[bytes, str]:
    """The body and its content type, in the format that an `Accept` header asks for.

    `sessions` by status; None if the database could not be asked.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_Collected(totals, sessions)), content_type


class _Collected(Collector):
    """What prometheus_client collects and encodes."""

    def __init__(self, totals: Counter[str], sessions: Mapping[str, int] | None) -> None:
        self._totals = totals
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        if self._sessions is not None:
            yield self._by_status(self._sessions)
        yield self._gauge("workers", "Workers that live.")
        yield self._labelled_gauge("streams", "open", "kind", "Streams that are open.")
        yield self._counter("events_sent", "Events sent to viewers.")
        yield self._counter("bytes_sent", "Bytes of streams that were sent to viewers.")
        yield self._invokes()
        yield self._labelled_counter(
            "runner_failures", "Runners that could not be started, or were found gone.", "reason"
        )
        yield self._counter("lock_waits", "Times that the database was found locked.")
        yield self._seconds("lock_wait", "Time spent waiting for the database's lock.")
        yield self._labelled_counter(
            "requests", "Requests that were answered.", "method", "route", "status"
        )

    def _by_status(self, counts: Mapping[str, int]) -> Metric:
        family = GaugeMetricFamily("agent_stream_sessions", "Sessions by status.", None, ["status"])
        for status, count in counts.items():
            family.add_metric([status], count)
        return family

    def _gauge(self, name: str, text: str) -> Metric:
        return GaugeMetricFamily(f"agent_stream_{name}", text, self._totals[f"{GAUGE}{name}"])

    def _labelled_gauge(self, name: str, suffix: str, label: str, text: str) -> Metric:
        family = GaugeMetricFamily(f"agent_stream_{name}_{suffix}", text, None, [label])
        for labels, number in self._with_labels(f"{GAUGE}{name}"):
            family.add_metric(labels, number)
        return family

    def _counter(self, name: str, text: str) -> Metric:
        return CounterMetricFamily(f"agent_stream_{name}", text, self._totals[name])

    def _seconds(self, name: str, text: str) -> Metric:
        seconds = self._totals[f"{name}_microseconds"] / 1e6
        return CounterMetricFamily(f"agent_stream_{name}_seconds", text, seconds)

    def _labelled_counter(self, name: str, text: str, *label_names: str) -> Metric:
        family = CounterMetricFamily(f"agent_stream_{name}", text, None, label_names)
        for labels, number in self._with_labels(name):
            family.add_metric(labels, number)
        return family

    def _invokes(self) -> Metric:
        bounds = [*map(str, BUCKETS), "+Inf"]
        counts = [self._totals[f"invoke_bucket{SEPARATOR}{index}"] for index in range(len(bounds))]
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        return HistogramMetricFamily(
            "agent_stream_invoke_seconds",
            "How long it took until a session was started.",
            buckets,
            self._totals["invoke_microseconds"] / 1e6,
        )

    def _with_labels(self, name: str) -> Iterator[tuple[list[str], int]]:
        for key, number in sorted(self._totals.items()):
            counted, *labels = key.split(SEPARATOR)
            if counted == name:
                yield labels, number
