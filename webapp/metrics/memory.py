"""Numbers that every worker of a server adds to, and any worker can read.

The master maps the memory before it forks, and gives each worker a *slot* of its own, so
that nobody waits for anybody. A slot outlives its worker, however that ended, and the next
one that gets it goes on from there: a counter never goes down. There are no files: nothing
to clean up, and a full disk cannot hurt (a page of a mapped file that finds no room is a
SIGBUS).
"""

import mmap
import struct
from collections import Counter

_ENTRY_BYTES = 128
_NUMBER = struct.Struct("=Q")
_KEY_BYTES = _ENTRY_BYTES - _NUMBER.size
_ENTRIES = 1023
"""In each slot; the first place holds how many there are."""
_SLOT_BYTES = _ENTRY_BYTES * (_ENTRIES + 1)

GAUGE = "="
"""How the key of a number begins that ends with its worker."""


class Memory:
    """The slots of one server."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._map = mmap.mmap(-1, slots * _SLOT_BYTES)

    def slot(self, index: int) -> "Slot":
        """One of them, to write to. Only one process at a time may."""
        start = index * _SLOT_BYTES
        return Slot(memoryview(self._map)[start : start + _SLOT_BYTES])

    def totals(self) -> Counter[str]:
        """Each number, added up over all slots."""
        found: Counter[str] = Counter()
        for index in range(self.slots):
            start = index * _SLOT_BYTES
            (count,) = _NUMBER.unpack_from(self._map, start)
            for place in range(1, count + 1):
                at = start + place * _ENTRY_BYTES
                (number,) = _NUMBER.unpack_from(self._map, at)
                key = self._map[at + _NUMBER.size : at + _ENTRY_BYTES].rstrip(b"\0")
                found[key.decode("utf-8", "replace")] += number
        return found


class Slot:
    """One worker's numbers. An entry that is there stays at its place for ever."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._numbers = memory.cast("Q")
        self._places = {self._key(place): place for place in range(1, self._numbers[0] + 1)}

    def add(self, key: str, number: int) -> None:
        """Count; for a key that is new where there is no room any more, in vain."""
        place = self._places.get(key) or self._make_place(key)
        if place is not None:
            self._numbers[place * _ENTRY_BYTES // 8] += number

    def set(self, key: str, number: int) -> None:
        """Say how much it is now."""
        place = self._places.get(key) or self._make_place(key)
        if place is not None:
            self._numbers[place * _ENTRY_BYTES // 8] = number

    def clear_gauges(self) -> None:
        """What ends with a worker has ended."""
        for key in self._places:
            if key.startswith(GAUGE):
                self.set(key, 0)

    def _key(self, place: int) -> str:
        start = place * _ENTRY_BYTES + _NUMBER.size
        key = bytes(self._memory[start : start + _KEY_BYTES]).rstrip(b"\0")
        return key.decode("utf-8", "replace")

    def _make_place(self, key: str) -> int | None:
        encoded = key.encode("utf-8", "replace")
        count = self._numbers[0]
        if count >= _ENTRIES or len(encoded) > _KEY_BYTES:
            return None
        place = self._places[key] = count + 1
        start = place * _ENTRY_BYTES
        self._memory[start + _NUMBER.size : start + _NUMBER.size + len(encoded)] = encoded
        self._numbers[0] = place  # last, so that a reader never sees half of an entry
        return place
