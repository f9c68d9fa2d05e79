"""Ctrl-C of somebody who watches an agent: the first asks it to end, the second kills it."""

from webapp.commands.var_folder import VarFolder
from webapp.errors import ServiceUnavailable
from webapp.sessions import control
from webapp.sessions.layout import session_files
from webapp.store.models import Session

LEAVE_AFTER = 2
"""Who presses once more only wants to be away."""


class Stopper:
    """Counts, and asks the runner. Any thread may press."""

    def __init__(self, var_folder: VarFolder, session: Session) -> None:
        self._files = session_files(var_folder.var, session)
        self.presses = 0

    @property
    def is_leaving(self) -> bool:
        """Whether asking has been of no use."""
        return self.presses > LEAVE_AFTER

    def press(self) -> str:
        """Do the next thing; what there is to say about it."""
        self.presses += 1
        if self.is_leaving:
            return "left; the session goes on as it can"
        try:
            if self.presses == 1:
                control.cancel(self._files)
                return "asked to end (SIGTERM); once more kills it"
            control.kill(self._files)
            return "killed (SIGKILL); once more leaves"
        except control.RunnerGone:
            return "it has just ended"
        except ServiceUnavailable as error:
            return str(error)
