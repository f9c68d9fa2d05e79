"""Write to a file as much as there is to write."""

import os


def write_all(fd: int, data: bytes) -> None:
    """All of it, however little the system takes at once. OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
