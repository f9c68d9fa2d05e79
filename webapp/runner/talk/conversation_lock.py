"""At most one process at a time goes on with a conversation: agents do not all see to it."""

import fcntl
import os
import re

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MAX_NAME_LETTERS = 200


class InUse(Exception):
    """Another session holds the conversation."""


def hold(folder: str, protocol: str, conversation_id: str) -> int:
    """Lock a conversation as long as the descriptor that is returned is open. InUse, OSError."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    name = conversation_id
    if not _SAFE.fullmatch(name):  # no agent that is known makes such an id
        name = "x." + name.encode("utf-8", "replace").hex()[:_MAX_NAME_LETTERS]
    path = os.path.join(folder, f"{protocol}.{name}")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise InUse(f"Conversation {conversation_id} is in use by another session.") from None
    return fd
