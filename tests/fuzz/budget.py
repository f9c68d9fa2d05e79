"""How long to look for trouble: a moment in `make test`, FUZZ_SECONDS a target in `make fuzz`.

A target is a file here; its tests share its time.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = 200
MOST_SECONDS = 10.0
"""What takes longer than this, hangs."""


def fuzz(
    check: Callable[..., None], *strategies: st.SearchStrategy[Any], share: float = 1.0
) -> None:
    """Call `check` with what the strategies make, again and again; it raises what is wrong.

    `share` is this test's part of its target's time.
    """
    until = time.monotonic() + share * float(os.environ.get("FUZZ_SECONDS", "0"))
    checked = 0

    def check_in_time(values: tuple[Any, ...]) -> None:
        nonlocal checked
        checked += 1
        began = time.monotonic()
        check(*values)
        assert time.monotonic() - began < MOST_SECONDS

    options = settings(
        max_examples=max(10, round(EXAMPLES * share)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run = given(st.tuples(*strategies))(options(check_in_time))
    while True:
        run()
        if time.monotonic() >= until:
            break
    print(f"{checked:,} inputs")


mutations = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)
"""For `mutated`: where, how many bytes go, what comes in their place."""


def mutated(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Something valid after a few bytes were lost, changed or added."""
    for where, lost, added in changes:
        at = where % (len(data) + 1)
        data = data[:at] + added + data[at + lost % 5 :]
    return data
