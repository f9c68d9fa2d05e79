"""System calls that fail: `python -m tests.faults.denied CALL=ERROR… -- COMMAND…`.

A seccomp filter, as a container's runtime or systemd's SystemCallFilter= sets one: the kernel
itself answers with the error, to the command and to all that it starts. It needs no rights.
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"inotify_init": 253, "inotify_init1": 294, "inotify_add_watch": 254},
    "aarch64": {"inotify_init1": 26, "inotify_add_watch": 27},
}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD_NUMBER = struct.pack("HBBI", 0x20, 0, 0, 0)
_ALLOW = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)
_FAIL = 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def deny(calls: dict[str, int]) -> None:
    """From now on these system calls fail with these error numbers."""
    numbers = NUMBERS[platform.machine()]
    program = _LOAD_NUMBER
    for name, error in calls.items():
        if name in numbers:  # an old call may not be there on a newer architecture
            program += struct.pack("HBBI", 0x15, 0, 1, numbers[name])
            program += struct.pack("HBBI", 0x06, 0, 0, _FAIL | error)
    program += _ALLOW

    libc = ctypes.CDLL(None, use_errno=True)
    fprog = _Program(len(program) // 8, program)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def main() -> None:
    """Deny what is named, and become the command."""
    end = sys.argv.index("--")
    pairs = (argument.split("=") for argument in sys.argv[1:end])
    deny({name: getattr(errno, error) for name, error in pairs})
    command = sys.argv[end + 1 :]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
