"""Logs of runners, into which something has fallen, and that end somewhere."""

from hypothesis import strategies as st

from tests.fuzz.budget import mutated, mutations
from tests.log import random_logs

noise = st.binary(max_size=200)


def _spoil(log: bytes, at: int, noise: bytes, cut: int) -> bytes:
    at %= len(log) + 1
    return (log[:at] + noise + log[at:])[: cut or None]


logs = st.builds(
    _spoil,
    random_logs.live_logs,
    st.integers(0, 10_000),
    noise | st.just(b""),
    st.integers(0, 3000) | st.just(0),
) | st.builds(mutated, random_logs.live_logs, mutations)
