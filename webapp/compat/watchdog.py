"""watchdog: its inotify instance, without the observers above it.

An observer takes a thread a watch, and several queue hops for each event. Elsewhere than on
Linux this module raises ImportError or OSError.
"""

import os
import struct
from typing import Any

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

IN_MODIFY = 0x2
IN_DELETE_SELF = 0x400
_EVENT = struct.Struct("@iIII")
"""inotify(7): watch descriptor, mask, cookie, and the bytes of a name, which a file has not."""
_GROWN = InotifyEvent(WatchDescriptor(-1), Mask(IN_MODIFY), 0, b"")


def make_inotify() -> InotifyFD:
    """An inotify instance, which no child inherits. OSError."""
    inotify = InotifyFD()
    os.set_inheritable(fileno(inotify), False)
    return inotify


def fileno(inotify: InotifyFD) -> int:
    """The descriptor of an inotify instance."""
    return int(inotify._inotify_fd)


def add_callback(inotify: InotifyFD, path: bytes, callback: Any) -> Any:
    """Have `callback` called when a file grows or goes; what `remove_callback` wants of it."""
    mask = Mask(IN_MODIFY | IN_DELETE_SELF)
    return inotify.add_callback(path, mask, callback, CallbackId(id(callback)))


def remove_callback(inotify: InotifyFD, descriptor: Any, callback: Any) -> None:
    """End what `add_callback` began."""
    inotify.remove_callbacks([(descriptor, CallbackId(id(callback)))])


def handle_events(inotify: InotifyFD, events: bytes) -> None:
    """Call the callbacks of what was read from the descriptor.

    A file that has grown, which is nearly all that ever happens, takes a short way: watchdog's
    own is made for trees of folders, and costs an event 0.1 ms.
    """
    if len(events) == _EVENT.size:
        descriptor, mask, _cookie, _name_bytes = _EVENT.unpack(events)
        watch = inotify._watch_for_wd.get(descriptor)
        if mask == IN_MODIFY and watch is not None:
            for callback in tuple(watch.callbacks.values()):
                callback.on_event(_GROWN)
            return
    for event in inotify._parse_event_buffer(events):
        inotify.handle_event(InotifyEvent(*event))
