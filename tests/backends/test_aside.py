"""Moving a store aside: cut off at any step nothing is overwritten, and nothing piles up."""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from backends._aside import KEPT, move_aside
from catalogue.ports.errors import StoreUnusable
from tests.backends.conftest import SqliteSeat
from tests.backends.samples import added, revision
from tests.catalogue.strategies import NOW, listing, model


class Killed(BaseException):
    """The process ends here."""


def killed_at(patch: pytest.MonkeyPatch, call: str, step: int) -> None:
    """End the process in place of a call of this method of paths, after so many of them."""
    calls, real = iter(range(step + 1)), getattr(Path, call)

    def counted(path: Path, *args: object, **kwargs: object) -> object:
        if next(calls) == step:
            raise Killed
        return real(path, *args, **kwargs)

    patch.setattr(Path, call, counted)


@pytest.fixture
async def seat(tmp_path: Path) -> SqliteSeat:
    """A store that was killed: its file, log and index lie there, and the file is empty."""
    running, seat = SqliteSeat(tmp_path / "running" / "catalogue.db"), SqliteSeat(tmp_path / "data" / "catalogue.db")
    await (await running.open()).commit(revision(1, [added(1)], of=listing(*(model(f"m{n}") for n in range(50)))))
    shutil.copytree(running.path.parent, seat.path.parent)
    await running.close()
    os.truncate(seat.path, 0)
    return seat


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("step", range(3))
async def test_cut_off_between_two_renames_the_next_start_works_and_all_files_are_kept(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before = contents(seat.path.parent)
    with monkeypatch.context() as patch:
        killed_at(patch, "rename", step)
        with pytest.raises(Killed):
            await seat.open()
    store = await seat.open()
    assert "moved aside" in (store.notice or "")
    await store.commit(revision(1, of=listing(model("new"))))
    await seat.close()
    seat.path.unlink()
    assert contents(seat.path.parent) == before
    assert all(".aside-" in path.name for path in seat.path.parent.iterdir())


async def test_cut_off_before_a_new_one_is_begun_the_next_start_begins_it(
    seat: SqliteSeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        real = move_aside

        def moved(path: Path, now: datetime) -> str:
            real(path, now)
            raise Killed

        patch.setattr("backends._file.move_aside", moved)
        with pytest.raises(Killed):
            await seat.open()
    assert (await (await seat.open()).load()).revision == 0
    assert len(list(seat.path.parent.glob("*.aside-*"))) == 3


async def test_after_a_rescue_that_failed_a_store_that_is_back_in_its_place_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = SqliteSeat(tmp_path / "catalogue.db")
    store = await seat.open()
    await store.commit(revision(1))
    seat.path.rename(tmp_path / "elsewhere")
    with monkeypatch.context() as patch:
        patch.setattr("backends._rescue.move_aside", Mock(side_effect=PermissionError()))
        with pytest.raises(StoreUnusable):
            await store.commit(revision(2))
    (tmp_path / "elsewhere").rename(seat.path)
    await store.commit(revision(2))
    assert (await (await seat.open()).load()).revision == 2


def test_only_the_newest_stay_aside_and_what_is_removed_is_said(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    others = {"catalogue.db.aside-mine", "other.db.aside-20200101T000000Z"}
    for name in others:
        (tmp_path / name).touch()
    said = []
    for hour in range(KEPT + 2):
        for suffix in ("", "-wal") if hour == 1 else ("",):
            path.with_name(path.name + suffix).write_text(str(hour))
        said.append(move_aside(path, NOW + timedelta(hours=hour)))
    stem = "catalogue.db.aside-20260501T"
    assert [word.partition("removed: ")[2] for word in said] == [
        *[""] * KEPT,
        f"{stem}120000Z)",
        f"{stem}130000Z, {stem}130000Z-wal)",
    ]
    assert {p.name for p in tmp_path.iterdir()} == others | {f"{stem}{12 + hour}0000Z" for hour in range(2, KEPT + 2)}


def test_of_those_of_one_second_the_first_is_the_oldest(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    for number in range(12):
        path.write_text(str(number))
        move_aside(path, NOW)
    assert {p.read_text() for p in tmp_path.iterdir()} == {str(number) for number in range(12 - KEPT, 12)}


def test_a_folder_that_was_moved_aside_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    for hour in range(KEPT + 2):
        path.mkdir()
        move_aside(path, NOW + timedelta(hours=hour))
    assert len(list(tmp_path.iterdir())) == KEPT + 2


def test_with_a_clock_that_was_set_back_what_was_just_moved_aside_stays(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    for hour in range(KEPT + 1):
        path.write_text(str(hour))
        move_aside(path, NOW - timedelta(hours=hour))
        assert str(hour) in {p.read_text() for p in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == KEPT


async def test_a_start_that_moves_aside_says_what_it_removed(seat: SqliteSeat) -> None:
    for hour in range(KEPT):
        seat.path.with_name(f"catalogue.db.aside-2026043{hour % 2}T{hour:02}0000Z").touch()
    store = await seat.open()
    assert "removed: catalogue.db.aside-20260430T000000Z" in (store.notice or "")
