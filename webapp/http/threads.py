"""Work that holds the processor or the disk for long, where no stream waits for it."""

from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


def run_aside(work: Callable[[], T]) -> T:
    """What `work` returns or raises. Where threads are greenlets it runs in a real one."""
    from gevent import get_hub, monkey

    if not monkey.is_module_patched("threading"):
        return work()
    return cast(T, get_hub().threadpool.apply(work))
