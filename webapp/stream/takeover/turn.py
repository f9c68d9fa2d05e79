"""Let live viewers get what is due, between two steps of something that takes longer."""

import gevent

MAX_IDLE_SECONDS = 0.005


def end_turn() -> None:
    """Wait until the event loop has nothing else to do, but not for long.

    `gevent.sleep(0)` would let greenlets run, but the loop looks at no descriptor for 5 ms of them.
    `gevent.idle()` alone waits for ever in a worker that is never idle, such as under an attack.
    """
    with gevent.Timeout(MAX_IDLE_SECONDS, exception=False):
        gevent.idle()
