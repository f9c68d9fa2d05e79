"""How much may lie in the folder of kept frames, and what is never removed for room."""

import os
import time
from pathlib import Path

import pytest

from webapp.stream.kept_folder import NEVER_USED_NS, PART_SUFFIX, KeptFolder

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


def test_what_was_never_used_goes_before_what_was_used_long_ago(folder: KeptFolder) -> None:
    used, older, newer = (folder.path / f"{FRAMES}{name}" for name in ("used", "older", "newer"))
    for path in (newer, used, older):
        path.write_bytes(bytes(30))
    os.utime(used, (1, 1))
    os.utime(older, ns=(NEVER_USED_NS, NEVER_USED_NS))
    while newer.stat().st_ctime_ns <= older.stat().st_ctime_ns or newer.stat().st_mtime_ns:
        os.utime(newer, ns=(NEVER_USED_NS, NEVER_USED_NS))  # the clock of files is coarse
    assert folder.make_room(40)
    assert sorted(folder.path.iterdir()) == sorted([used, newer])
    assert folder.make_room(70)
    assert list(folder.path.iterdir()) == [used]


def test_who_spares_what_was_used_removes_nothing_in_vain(folder: KeptFolder) -> None:
    used, unused = folder.path / f"{FRAMES}used", folder.path / f"{FRAMES}unused"
    for path in (used, unused):
        path.write_bytes(bytes(40))
    os.utime(unused, ns=(NEVER_USED_NS, NEVER_USED_NS))
    assert not folder.make_room(61, spare_used=True)
    assert unused.exists()
    assert folder.make_room(60, spare_used=True)
    assert list(folder.path.iterdir()) == [used]
