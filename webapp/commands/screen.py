"""What a program prints for a terminal, as the rows that a terminal would show.

A carriage return, a backspace and the sequences that move the cursor or erase (ECMA-48, sections
8.3.17 to 8.3.22, 8.3.39 and 8.3.41) do what they say, within the rows of one run of output: so a
progress bar is one row, in its last state. Every other sequence is taken out, as by `Cleaner`.

The page does the same (`static/js/transcript/screen.js`); one table tests both:
tests/cli/screen.json.
"""

import re

from webapp.commands.terminal import COLOUR, ESCAPE, cut_unfinished, without_controls

MAX_COLUMNS = 1024
"""Of a row in which the cursor moves. A longer one stays as it is, and another one begins."""
_Cell = tuple[str, str]
"""A letter's colours, and the letter."""
_CONTROL = re.compile(rf"{ESCAPE.pattern}|[\r\n\b]")
_MOVE = re.compile(r"(?:\x1b\[|\x9b)([0-9]*)(?:;[0-9]*)*([A-GJK])")
_RESET = re.compile(r"\x1b\[(?:0*;|0*m)")


class Screen:
    """The rows of a run of output. Text comes in pieces, which may break anywhere."""

    def __init__(self, *, colour: bool) -> None:
        """`colour`: whether the rows keep their colours."""
        self.rows = [""]
        self._colour = colour
        self._unfinished = ""
        self._row = 0
        self._column: int | None = None
        """Of the cursor; None at the end of its row."""
        self._style = ""
        self._ends = [("", "")]
        """The colours with which each row begins and ends."""

    def feed(self, text: str) -> None:
        """Take the next piece."""
        text, self._unfinished = cut_unfinished(self._unfinished + text)
        text = re.sub("\r+\n", "\n", text)
        at = 0
        for control in _CONTROL.finditer(text):
            self._write(text[at : control.start()])
            self._obey(control[0])
            at = control.end()
        self._write(text[at:])

    def finish(self) -> None:
        """The piece was the last of its line: no sequence goes on after it."""
        left, self._unfinished = self._unfinished, ""
        self._write(left.removesuffix("\r"))

    def take(self, keep: int) -> list[str]:
        """The rows but for the last `keep`, which nothing changes from now on."""
        count = max(0, min(len(self.rows) - keep, self._row))
        taken = self.rows[:count]
        del self.rows[:count], self._ends[:count]
        self._row -= count
        return taken

    def _write(self, text: str) -> None:
        text = without_controls(text)
        if not text:
            return
        begins, ends = self._ends[self._row]
        if self._column is None:
            self.rows[self._row] += _change(ends, self._style) + text
            self._ends[self._row] = begins, self._style
            return
        row, column = self.rows[self._row], self._column
        if not (self._style or ends) and "\x1b" not in row:
            self.rows[self._row] = row[:column].ljust(column) + text + row[column + len(text) :]
            self._move_to(column + len(text))
            return
        cells = self._cells()
        cells += [("", " ")] * (column - len(cells))
        cells[column : column + len(text)] = [(self._style, letter) for letter in text]
        self._store(cells)
        self._move_to(column + len(text))

    def _obey(self, control: str) -> None:
        if control == "\n":
            self._next_row()
        elif control == "\r":
            self._move_to(0)
        elif control == "\b":
            self._move_to(self._place() - 1)
        elif COLOUR.fullmatch(control):
            self._paint(control)
        elif move := _MOVE.fullmatch(control):
            self._obey_move(move[2], min(int(move[1][:9] or 0), MAX_COLUMNS))

    def _obey_move(self, letter: str, number: int) -> None:
        count = max(number, 1)
        if letter == "G":
            self._move_to(count - 1)
        elif letter in "CD":
            self._move_to(self._place() + (count if letter == "C" else -count))
        elif letter in "ABEF":
            column = self._place() if letter in "AB" else 0
            row = self._row + (count if letter in "BE" else -count)
            self._row = max(0, min(row, len(self.rows) - 1))
            self._move_to(column)
        else:
            self._erase(letter, number)

    def _erase(self, letter: str, number: int) -> None:
        column, cells = self._place(), self._cells()
        if number == 0:
            del cells[column:]
        elif letter == "K" and number == 1:
            cells[: column + 1] = [("", " ")] * min(column + 1, len(cells))
        elif letter == "K" and number == 2:
            cells = []
        self._store(cells)
        if letter == "J" and number == 0:
            del self.rows[self._row + 1 :], self._ends[self._row + 1 :]
        self._move_to(column)

    def _next_row(self) -> None:
        if self._row == len(self.rows) - 1:
            ends = self._ends[self._row][1]
            self.rows.append("")
            self._ends.append((ends, ends))
        self._row += 1
        self._move_to(0)

    def _paint(self, colour: str) -> None:
        if not self._colour:
            return
        is_reset = _RESET.match(colour) is not None
        kept = "" if is_reset else self._style.replace(colour, "")
        self._style = kept + ("" if re.fullmatch(r"\x1b\[0*m", colour) else colour)
        if self._column is None and self._row == len(self.rows) - 1:
            self.rows[self._row] += colour
            self._ends[self._row] = self._ends[self._row][0], self._style

    def _place(self) -> int:
        """The cursor's column."""
        return self._size() if self._column is None else self._column

    def _size(self) -> int:
        row = self.rows[self._row]
        return len(COLOUR.sub("", row)) if "\x1b" in row else len(row)

    def _move_to(self, column: int) -> None:
        size = self._size()
        if size > MAX_COLUMNS and column < size:
            self._row = len(self.rows) - 1
            self._next_row()
            return
        column = max(0, min(column, MAX_COLUMNS))
        self._column = None if column == size else column

    def _cells(self) -> list[_Cell]:
        """The letters of the cursor's row."""
        style, cells, at = self._ends[self._row][0], list[_Cell](), 0
        row = self.rows[self._row]
        for colour in COLOUR.finditer(row):
            cells += [(style, letter) for letter in row[at : colour.start()]]
            style = "" if _RESET.match(colour[0]) else style
            style += "" if re.fullmatch(r"\x1b\[0*m", colour[0]) else colour[0]
            at = colour.end()
        return cells + [(style, letter) for letter in row[at:]]

    def _store(self, cells: list[_Cell]) -> None:
        begins, ends = self._ends[self._row]
        parts: list[str] = []
        style = begins
        for colours, letter in cells:
            parts += (_change(style, colours), letter)
            style = colours
        self.rows[self._row] = "".join(parts) + _change(style, ends)


def _change(before: str, after: str) -> str:
    """What turns some colours into others."""
    if before == after:
        return ""
    return ("\x1b[0m" if before else "") + after
