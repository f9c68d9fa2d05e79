"""The numbers that workers share: none is lost, whoever dies."""

import os
import signal

import pytest

from webapp.metrics.memory import Memory, Slot


def in_child(work: object) -> int:
    """Run it in a forked process, as a worker; how that ended, as waitpid(2) tells it."""
    pid = os.fork()
    if pid == 0:
        try:
            work()  # type: ignore[operator]
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def test_numbers_of_all_slots_are_added_up() -> None:
    memory = Memory(3)
    memory.slot(0).add("a", 1)
    memory.slot(1).add("a", 2)
    memory.slot(2).add("é\tx", 1 << 40)
    assert memory.totals() == {"a": 3, "é\tx": 1 << 40}


def test_killed_worker_s_numbers_stay_and_the_next_one_goes_on_from_there() -> None:
    memory = Memory(1)
    for _ in range(3):
        assert in_child(lambda: memory.slot(0).add("a", 5)) == signal.SIGKILL
    assert memory.totals() == {"a": 15}


def test_gauges_end_with_their_worker_and_counters_do_not() -> None:
    memory = Memory(1)

    def work() -> None:
        slot = memory.slot(0)
        slot.set("=streams", 7)
        slot.set("=streams", 5)
        slot.add("a", 1)

    in_child(work)
    assert memory.totals() == {"=streams": 5, "a": 1}
    memory.slot(0).clear_gauges()
    assert memory.totals() == {"=streams": 0, "a": 1}


@pytest.mark.parametrize("key", ["x" * 121, "é" * 61])
def test_key_that_is_too_long_is_left_out(key: str) -> None:
    memory = Memory(1)
    memory.slot(0).add(key, 1)
    assert memory.totals() == {}


def fill(slot: Slot, count: int) -> None:
    """So many different keys."""
    for number in range(count):
        slot.add(f"key {number}", 1)


def test_slot_that_is_full_takes_no_new_key_and_harms_no_other() -> None:
    memory = Memory(2)
    memory.slot(1).add("other", 1)
    slot = memory.slot(0)
    fill(slot, 2000)
    before = memory.totals()
    assert before["other"] == 1
    assert 1000 < len(before) < 1100
    slot.add("key 0", 1)
    assert memory.totals()["key 0"] == 2
