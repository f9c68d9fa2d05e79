"""The rooms of `webapp/` import downwards only, as the documentation says."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.server import ROOT
from webapp.docs.topics import read_file

WEBAPP = ROOT / "webapp"


def module_files() -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in WEBAPP.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


FILES = module_files()


def imports_of(name: str) -> set[str]:
    """The modules of the package that a module names in any import, wherever it is."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in FILES else node.module)
    return {each for each in found if each in FILES} - {name, "webapp"}


def row_of_each_room() -> dict[str, int]:
    """The rows of the table, from the top."""
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", read_file("architecture.md"), re.MULTILINE)
    return {room: int(row) for row, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}


def room_of(module: str) -> str:
    return module.split(".")[1]


def test_the_table_names_every_room() -> None:
    assert sorted(row_of_each_room()) == sorted({room_of(name) for name in FILES if "." in name})


def test_modules_import_only_rooms_below_their_own() -> None:
    row = row_of_each_room()
    upwards = {
        module: imported
        for module in FILES
        if "." in module
        for imported in imports_of(module)
        if room_of(imported) != room_of(module) and row[room_of(imported)] <= row[room_of(module)]
    }
    assert upwards == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    sorter = TopologicalSorter({name: imports_of(name) for name in FILES})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("room", ["log", "stream/sse.py"])
def test_log_and_encoder_know_neither_flask_nor_sqlalchemy(room: str) -> None:
    path = WEBAPP / room
    for file in [path] if path.is_file() else path.rglob("*.py"):
        assert not re.search(r"^\s*(?:from|import) (?:flask|sqlalchemy)", file.read_text(), re.M)


def test_the_documentation_names_files_that_exist() -> None:
    named = set(re.findall(r"`([\w/]+/[\w.-]+\.(?:py|js))`", read_file("architecture.md")))
    assert len(named) > 40
    assert [name for name in sorted(named) if not is_file(name)] == []


def is_file(name: str) -> bool:
    """Whether a file of the package or beside it, or what a placeholder stands for, exists."""
    return "NAME" in name or (WEBAPP / name).is_file() or (ROOT / name).is_file()
