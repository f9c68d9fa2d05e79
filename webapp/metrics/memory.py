"""Numbers that every worker of a server adds to, and any worker can read.

The master maps the memory before it forks, and gives each worker a *slot* of its own, so
that no worker waits for another. A slot outlives its worker, however that ended, and its next
worker continues with its numbers: a counter never goes down. There are no files: nothing to
clean up, and a full disk does no harm (it would end a process that maps a file by SIGBUS).
"""

import mmap
import struct
from collections import Counter

_ENTRY_BYTES = 128
_NUMBER = struct.Struct("=Q")
_KEY_BYTES = _ENTRY_BYTES - _NUMBER.size
_ENTRIES = 1023
"""In each slot; the first entry holds the number of the others."""
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
            for index in range(1, count + 1):
                at = start + index * _ENTRY_BYTES
                (number,) = _NUMBER.unpack_from(self._map, at)
                key = self._map[at + _NUMBER.size : at + _ENTRY_BYTES].rstrip(b"\0")
                found[key.decode("utf-8", "replace")] += number
        return found


class Slot:
    """One worker's numbers. An entry is never moved."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._numbers = memory.cast("Q")
        self._indexes = {self._key(index): index for index in range(1, self._numbers[0] + 1)}

    def add(self, key: str, number: int) -> None:
        """Add to a number. A new key in a full slot is dropped."""
        index = self._indexes.get(key) or self._make_entry(key)
        if index is not None:
            self._numbers[index * _ENTRY_BYTES // 8] += number

    def set(self, key: str, number: int) -> None:
        """Set a number. A new key in a full slot is dropped."""
        index = self._indexes.get(key) or self._make_entry(key)
        if index is not None:
            self._numbers[index * _ENTRY_BYTES // 8] = number

    def clear_gauges(self) -> None:
        """Set the numbers that end with a worker to 0."""
        for key in self._indexes:
            if key.startswith(GAUGE):
                self.set(key, 0)

    def _key(self, index: int) -> str:
        start = index * _ENTRY_BYTES + _NUMBER.size
        key = bytes(self._memory[start : start + _KEY_BYTES]).rstrip(b"\0")
        return key.decode("utf-8", "replace")

    def _make_entry(self, key: str) -> int | None:
        encoded = key.encode("utf-8", "replace")
        count = self._numbers[0]
        if count >= _ENTRIES or len(encoded) > _KEY_BYTES:
            return None
        index = self._indexes[key] = count + 1
        start = index * _ENTRY_BYTES
        self._memory[start + _NUMBER.size : start + _NUMBER.size + len(encoded)] = encoded
        self._numbers[0] = index  # last, so that a reader never sees half of an entry
        return index
