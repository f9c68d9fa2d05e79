"""Ctrl-C of somebody who watches an agent: the first asks it to end, the second kills it.

Of one that holds a conversation the first ends its turn, and the next ones do that.
"""

from collections.abc import Callable

from webapp.commands.approvals import who
from webapp.commands.var_folder import VarFolder
from webapp.errors import ServiceUnavailable
from webapp.sessions import control, live_talk
from webapp.sessions.layout import SessionFiles, session_files
from webapp.store.models import Session

_Step = tuple[Callable[[SessionFiles], object], str]
_END: tuple[_Step, ...] = (
    (control.cancel, "asked to end (SIGTERM); once more kills it"),
    (control.kill, "killed (SIGKILL); once more leaves"),
)
_INTERRUPT: _Step = (
    lambda files: live_talk.interrupt(files, who()),
    "its turn ends; once more ends the session (SIGTERM)",
)


class Stopper:
    """Counts, and asks the runner. Any thread may press."""

    def __init__(self, var_folder: VarFolder, session: Session) -> None:
        self._files = session_files(var_folder.var, session)
        self._steps = _END if session.talk is None else (_INTERRUPT, *_END)
        self.presses = 0

    @property
    def is_leaving(self) -> bool:
        """Whether asking has been of no use: who presses once more only wants to be away."""
        return self.presses > len(self._steps)

    def press(self) -> str:
        """Do the next thing; what there is to say about it."""
        self.presses += 1
        if self.is_leaving:
            return "left; the session goes on as it can"
        try:
            ask, said = self._steps[self.presses - 1]
            ask(self._files)
            return said
        except (control.RunnerGone, live_talk.Closed):
            return "it has just ended"
        except ServiceUnavailable as error:
            return str(error)
