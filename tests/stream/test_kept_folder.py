"""How much may lie in the folder of kept frames, and what is never removed for room."""

import os
import time
from pathlib import Path

import pytest

from webapp.stream.kept_folder import PART_SUFFIX, KeptFolder

FRAMES = "session-1-a.0123"


@pytest.fixture
def folder(tmp_path: Path) -> KeptFolder:
    """Room for a hundred bytes."""
    made = KeptFolder(tmp_path / "cache" / "frames", 100)
    assert made.make_room(0)
    return made


def test_folder_is_ours_alone(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        KeptFolder(tmp_path / "cache" / "frames", 100).make_room(0)
    finally:
        os.umask(umask)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").glob("**/")}
    assert modes == {0o700}


def test_what_is_just_being_written_is_not_removed_for_room(folder: KeptFolder) -> None:
    part = folder.path / f"{FRAMES}{PART_SUFFIX}"
    part.write_bytes(bytes(90))
    assert not folder.make_room(50)
    assert part.exists()
    assert folder.make_room(10)


def test_no_more_is_removed_than_has_to_be(folder: KeptFolder) -> None:
    for number in range(3):
        path = folder.path / f"{FRAMES}{number}"
        path.write_bytes(bytes(30))
        os.utime(path, (time.time() - 10 + number,) * 2)
    assert folder.make_room(10)
    assert len(list(folder.path.iterdir())) == 3
    assert folder.make_room(11)
    assert sorted(path.name for path in folder.path.iterdir()) == [f"{FRAMES}1", f"{FRAMES}2"]


def test_there_is_no_room_where_the_disk_has_none(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeptFolder, "disk_has", lambda _folder, _needed: False)
    assert not folder.make_room(1)


@pytest.mark.parametrize(("blocks", "has_room"), [(10_000_000, True), (100_000_000, False)])
def test_a_twentieth_of_a_large_disk_stays_free(
    folder: KeptFolder, monkeypatch: pytest.MonkeyPatch, blocks: int, has_room: bool
) -> None:
    real = os.statvfs(folder.path)
    facts = list(real)
    facts[1], facts[2], facts[4] = 4096, blocks, 1_000_000
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(facts))
    assert folder.disk_has(1) is has_room
