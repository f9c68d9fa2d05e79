"""A table that fits the terminal, or all of it where none is there."""

import sys
from dataclasses import dataclass
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webapp.commands.terminal import has_colour
from webapp.visible import visible

_GAP = 2
_LEAST_CUT = 8


class Cell(NamedTuple):
    """A text, and the style that rich gives it."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column:
    """A column; one with a rank may be left out on a narrow terminal, the highest first."""

    name: str
    right: bool = False
    rank: int = 0
    may_be_cut: bool = False


def print_table(columns: tuple[Column, ...], rows: list[list[Cell]]) -> None:
    """Print rows. Without a terminal: plain, and never cut."""
    rows = [[Cell(visible(cell.text), cell.style) for cell in row] for row in rows]
    widths = [
        max(len(column.name), *(len(row[at].text) for row in rows))
        for at, column in enumerate(columns)
    ]
    if sys.stdout.isatty():
        _print_for_terminal(columns, rows, widths)
        return
    gap = " " * _GAP
    for cells in ([Cell(column.name) for column in columns], *rows):
        padded = [
            cell.text.rjust(width) if column.right else cell.text.ljust(width)
            for column, cell, width in zip(columns, cells, widths, strict=True)
        ]
        click.echo(gap.join(padded).rstrip())


def _print_for_terminal(
    columns: tuple[Column, ...], rows: list[list[Cell]], widths: list[int]
) -> None:
    console = Console(no_color=not has_colour(), highlight=False)
    shown = _that_fit(columns, widths, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for at in shown:
        table.add_column(
            columns[at].name,
            justify="right" if columns[at].right else "left",
            no_wrap=True,
            min_width=_least_width(columns[at], widths[at]),
        )
    for row in rows:
        table.add_row(*(Text(row[at].text, style=row[at].style) for at in shown))
    console.print(table)


def _least_width(column: Column, width: int) -> int:
    return min(width, _LEAST_CUT) if column.may_be_cut else width


def _that_fit(columns: tuple[Column, ...], widths: list[int], width: int) -> list[int]:
    """The positions of the columns that fit."""
    shown = list(range(len(columns)))
    while sum(_least_width(columns[at], widths[at]) + _GAP for at in shown) - _GAP > width:
        last = max(shown, key=lambda at: columns[at].rank)
        if columns[last].rank == 0:
            break
        shown.remove(last)
    return shown
