"""The writing end of the agent's stdin."""

import os
import select


class StdinPipe:
    """Takes bytes for the agent. Never blocks, and never fails if nobody reads."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self.agent_fd, self.fd = os.pipe()
        """The end that the agent reads; and ours, -1 once that is closed."""
        os.set_blocking(self.fd, False)
        self._waiting = bytearray()
        self._should_end = False
        self._is_registered = False

    @property
    def is_open(self) -> bool:
        """Whether more may be sent."""
        return self.fd >= 0 and not self._should_end

    @property
    def waiting_bytes(self) -> int:
        """What the agent has not read yet, as far as the pipe did not take it."""
        return len(self._waiting)

    def send(self, data: bytes) -> None:
        """Write as soon as the pipe takes it; nothing happens once it is closed."""
        if self.is_open:
            self._waiting += data
            self._write()

    def end(self) -> None:
        """Close it after all that was sent."""
        if self.is_open:
            self._should_end = True
            self._write()

    def on_event(self, event: int) -> None:
        """Go on where the pipe has room again, or nobody reads it any more."""
        if event & (select.POLLERR | select.POLLHUP):
            self.close()
        else:
            self._write()

    def _write(self) -> None:
        """Write what the pipe takes. Closes it when all is done or nobody reads it."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self.fd, self._waiting)]
        except BlockingIOError:
            self._listen(select.POLLOUT)
            return
        except OSError:  # EPIPE: the agent has closed its end
            self.close()
            return
        if self._should_end:
            self.close()
        else:
            self._listen(0)

    def _listen(self, events: int) -> None:
        if self._is_registered:
            self._poll.modify(self.fd, events)
        else:
            self._poll.register(self.fd, events)
            self._is_registered = True

    def close(self) -> None:
        """Let go of the pipe, with what still waits."""
        if self.fd >= 0:
            if self._is_registered:
                self._poll.unregister(self.fd)
            os.close(self.fd)
            self.fd = -1
        self._waiting.clear()
