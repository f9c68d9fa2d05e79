"""What the kernel is asked for by prctl(2), for which Python has no function.

`_ctypes` itself, since `ctypes` would add 0.15 MB to the memory of every runner.
"""

import _ctypes

_SET_DUMPABLE = 4
_SET_CHILD_SUBREAPER = 36
_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL = 47, 4
_RTLD_NOW = 2


def hide_process() -> None:
    """Close this process to others of its user, also to its own agents: PR_SET_DUMPABLE(2const).

    They cannot read /proc/<pid>/environ, mem or fd any more, nor trace it; debuggers need
    root. Forked children are closed too; execve(2) opens the process again.
    """
    _prctl(_SET_DUMPABLE, 0)


def adopt_orphans() -> bool:
    """Become the parent of descendants that lose theirs: PR_SET_CHILD_SUBREAPER(2const).

    Children are not asked for it; False where a filter of system calls refuses it.
    """
    return _prctl(_SET_CHILD_SUBREAPER, 1)


def keep_capabilities_from_programs() -> None:
    """Programs that are executed from now on get none of ours: PR_CAP_AMBIENT(2const)."""
    _prctl(_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL)


def _prctl(option: int, argument: int) -> bool:
    this_program = _ctypes.dlopen(None, _RTLD_NOW)  # type: ignore[arg-type]
    address = _ctypes.dlsym(this_program, "prctl")
    return _ctypes.call_function(address, (option, argument, 0, 0, 0)) == 0  # type: ignore[no-any-return]
