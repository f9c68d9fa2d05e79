"""A live session at a terminal: its output above, a line to be edited and sent below.

The line and the keys are prompt_toolkit's: https://python-prompt-toolkit.readthedocs.io/
"""

import asyncio
import concurrent.futures
import json
import sys
import threading
from collections.abc import Callable, Iterable

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.output.vt100 import Vt100_Output

from webapp.commands.asked import KEYS, Asked
from webapp.commands.figures import duration, seconds_between
from webapp.commands.follow import Chunk, EventParser, Stop
from webapp.commands.stopper import Stopper
from webapp.commands.talk import send_to_live
from webapp.commands.terminal import has_colour, one_line
from webapp.commands.transcript import Transcript
from webapp.commands.var_folder import VarFolder
from webapp.errors import AgentStreamError
from webapp.log.folder import read_file
from webapp.sessions.input import send_input
from webapp.sessions.layout import session_files
from webapp.store.models import Session

_LOOK_SECONDS = 0.2
_MAX_SPEC_BYTES = 4 << 20
_MOST_AGENT_LETTERS = 40
_MOST_SHOWN_LETTERS = 2000
"""Of a line that is not finished yet; it is printed whole when it is."""


class Console:
    """Shows a session until it is done or left."""

    def __init__(self, var_folder: VarFolder, session: Session, *, interrupt_stops: bool) -> None:
        """`interrupt_stops`: Ctrl-C is for the agent; else it only leaves."""
        self._var_folder = var_folder
        self._session = session
        self._interrupt_stops = interrupt_stops
        self._stopper = Stopper(var_folder, session)
        self._asked = Asked(var_folder, session)
        self._said = ""
        self._unfinished = ""
        self._takes_input: bool | None = None
        self._has_ended_input = False
        self._stop = Stop()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None

        self._app = self._make_app()

    def _make_app(self) -> Application[str]:
        line = Buffer(
            multiline=False,
            history=InMemoryHistory(),
            read_only=Condition(lambda: not self._can_send()),
        )
        before = BeforeInput(lambda: ANSI(self._message()))
        output = create_output(sys.stdout)
        if isinstance(output, Vt100_Output):
            output.enable_cpr = False  # each piece of output would wait for the terminal's answer
        return Application(
            layout=Layout(
                HSplit(
                    [
                        Window(
                            BufferControl(line, input_processors=[before]),
                            wrap_lines=True,
                            dont_extend_height=True,
                        ),
                        Window(FormattedTextControl(self._status), height=1, style="reverse"),
                    ]
                )
            ),
            key_bindings=self._keys(),
            output=output,
            color_depth=None if has_colour() else ColorDepth.DEPTH_1_BIT,
            refresh_interval=1.0,
            erase_when_done=True,
        )

    def run(
        self,
        chunks: Callable[[Stop], Iterable[Chunk]],
        parser: EventParser,
        transcript: Transcript,
    ) -> bool:
        """Show what comes; whether that was all of it, and nobody left before."""
        self._unfinished = transcript.unfinished
        thread = threading.Thread(target=self._show_all, args=(chunks, parser, transcript))
        try:
            is_whole = self._app.run(pre_run=lambda: self._begin(thread)) == "done"
        finally:
            self._stop.set()
            if thread.ident is not None:
                thread.join()
        if self._failure is not None:
            raise self._failure
        if self._unfinished:
            self._write(self._unfinished + "\n")
        return is_whole

    # --- output: in a thread, since it waits for the log ------------------------------

    def _begin(self, thread: threading.Thread) -> None:
        self._loop = asyncio.get_running_loop()
        thread.start()

    def _show_all(
        self,
        chunks: Callable[[Stop], Iterable[Chunk]],
        parser: EventParser,
        transcript: Transcript,
    ) -> None:
        try:
            for chunk in chunks(self._stop):
                events = list(parser.parse(chunk))
                for event in events:
                    self._asked.see(event)
                if not self._show("".join(map(transcript.show, events)), transcript.unfinished):
                    return
            self._show(transcript.end(), "")
        except BaseException as error:
            self._failure = error
        finally:
            self._in_loop(lambda: self._leave("done"))

    def _show(self, lines: str, unfinished: str) -> bool:
        """Print the lines that are finished; False when nobody is there any more."""
        self._unfinished = unfinished
        if "\n" not in lines:
            self._in_loop(self._app.invalidate)
            return not self._stop.is_set

        async def write() -> None:
            await run_in_terminal(lambda: self._write(lines))

        assert self._loop is not None
        writing = asyncio.run_coroutine_threadsafe(write(), self._loop)
        while not self._stop.is_set:
            try:
                writing.result(_LOOK_SECONDS)
                return True
            except concurrent.futures.TimeoutError:
                continue
        return False

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _in_loop(self, action: Callable[[], object]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:
            return  # it has ended: somebody left in this very moment

    def _leave(self, how: str) -> None:
        if self._app.is_running and not self._app.future.done():  # type: ignore[union-attr]
            self._app.exit(result=how)

    # --- input ------------------------------------------------------------------------

    def _can_send(self) -> bool:
        if self._takes_input is None:
            self._takes_input = _takes_input(self._var_folder, self._session)
        return bool(self._takes_input) and not self._has_ended_input

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter", eager=True)
        def _(event: KeyPressEvent) -> None:
            if self._can_send():
                text = event.current_buffer.text
                event.current_buffer.reset(append_to_history=True)
                if self._asked.is_question:
                    self._in_background(lambda: self._asked.say(text))
                else:
                    self._in_background(lambda: self._send(text or "\n", is_last=False))

        @keys.add("c-d", eager=True)
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.delete()
            elif self._session.talk is not None:
                self._leave("left")
            elif self._can_send():
                self._has_ended_input = True
                self._in_background(lambda: self._send("", is_last=True))

        @keys.add("c-c", eager=True)
        @keys.add("<sigint>", eager=True)
        def _(event: KeyPressEvent) -> None:
            if event.current_buffer.text:
                event.current_buffer.reset()
            elif self._interrupt_stops:
                self._press_stop()
            else:
                self._leave("left")

        @keys.add("c-x", eager=True)
        def _(_event: KeyPressEvent) -> None:
            self._press_stop()

        for key in KEYS:
            self._add_answer(keys, key)

        @keys.add("c-z", eager=True)
        def _(_event: KeyPressEvent) -> None:
            self._leave("left")

        return keys

    def _add_answer(self, keys: KeyBindings, key: str) -> None:
        """A letter that answers an approval, where nothing has been typed."""

        def is_answer() -> bool:
            return not self._app.current_buffer.text and self._asked.has_key(key)

        @keys.add(key, filter=Condition(is_answer), eager=True)
        def _(_event: KeyPressEvent) -> None:
            self._in_background(lambda: self._asked.press(key))

    def _press_stop(self) -> None:
        self._in_background(self._stopper.press)
        if self._stopper.is_leaving:
            self._leave("left")

    def _send(self, text: str, *, is_last: bool) -> str:
        try:
            if self._session.talk is not None:
                if text.strip():
                    send_to_live(self._var_folder, self._session, text)
                return ""
            send_input(self._var_folder.var, self._session, text, is_last=is_last)
        except AgentStreamError as error:
            return str(error)
        return "its input has ended" if is_last else ""

    def _in_background(self, action: Callable[[], str]) -> None:
        """Do what waits for the runner, and show what it has to say."""

        async def act() -> None:
            self._said = await asyncio.to_thread(action)
            self._app.invalidate()

        self._app.create_background_task(act())

    # --- what stands below ------------------------------------------------------------

    def _message(self) -> str:
        unfinished = self._unfinished[-_MOST_SHOWN_LETTERS:]
        if unfinished or not self._can_send():
            return unfinished
        question = one_line(self._asked.prompt(), _MOST_SHOWN_LETTERS)
        return f"{question} > " if question else "> "

    def _status(self) -> str:
        agent = one_line(self._session.agent, _MOST_AGENT_LETTERS)
        who = f"{agent} {self._session.id.rpartition('-')[2]}"
        age = duration(seconds_between(self._session.created_at, None))
        stop = "Ctrl-C stops it" if self._interrupt_stops else "Ctrl-X stops it"
        hints = ["Enter sends"] if self._can_send() else []
        if hints and self._session.talk is None:
            hints.append("Ctrl-D ends the input")
        parts = [stop, "Ctrl-Z leaves it running", *hints, who, age]
        if self._said:
            parts = [self._said, who, age]
        width = self._app.output.get_size().columns - 2
        shown: list[str] = []
        for part in parts:
            if len("  |  ".join([*shown, part])) <= width:
                shown.append(part)
        return f" {'  |  '.join(shown)}"


def _takes_input(var_folder: VarFolder, session: Session) -> bool | None:
    """Whether the agent's stdin is open; None where its runner has not written that down yet."""
    try:
        spec = json.loads(read_file(session_files(var_folder.var, session).spec, _MAX_SPEC_BYTES))
    except (OSError, ValueError):
        return None
    return isinstance(spec, dict) and spec.get("takesInput") is True
