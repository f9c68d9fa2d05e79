"""How long to look for trouble: a moment in `make test`, FUZZ_SECONDS a target in `make fuzz`."""

import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = 200
MOST_SECONDS = 10.0
"""What takes longer than this, hangs."""


def fuzz(check: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    """Call `check` with what the strategies make, again and again; it raises what is wrong."""
    until = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "0"))

    def check_in_time(values: tuple[Any, ...]) -> None:
        began = time.monotonic()
        check(*values)
        assert time.monotonic() - began < MOST_SECONDS

    options = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run = given(st.tuples(*strategies))(options(check_in_time))
    while True:
        run()
        if time.monotonic() >= until:
            return
