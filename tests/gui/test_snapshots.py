"""Snapshots as files: with and without boxes, twice in a second, and on a disk that is full."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from edgecam.detections import Detections
from edgecam.frames import Frame
from edgecam.gui.actions import WindowActions
from edgecam.gui.picture import snapshots
from edgecam.gui.picture.snapshots import MOST_WAITING, SnapshotSaver, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

MOMENT = datetime(2026, 5, 4, 3, 2, 1)
ROOM = 4096  # bytes a file may have where the disk is full


def noise() -> Frame:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    return Frame(image, 0, 0.0)


def nothing() -> Detections:
    return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))


def one() -> Detections:
    return Detections(np.array([[20, 30, 100, 90]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))


@contextmanager
def full_disk() -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_frame_as_it_is_and_with_its_boxes(tmp_path: Path, qapp: QApplication) -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    image[60:] = 200
    frame = Frame(image, 0, 0.0)
    plain = write_snapshot(tmp_path / "new", frame, one(), ("cat",), MOMENT)
    assert plain.name == "edgecam 2026-05-04 03-02-01.jpg"
    drawn = plain.with_name("edgecam 2026-05-04 03-02-01 boxes.jpg")
    first, second = cv2.imread(str(plain)), cv2.imread(str(drawn))
    assert first.shape == second.shape == frame.image.shape
    assert np.abs(first.astype(int) - frame.image).mean() < 3
    different = np.abs(first.astype(int) - second).max(axis=2) > 60
    assert different[30:90, 18:23].any()
    assert not different[100:, 110:].any()


def test_two_in_a_second_are_two_files(tmp_path: Path, qapp: QApplication) -> None:
    names = [write_snapshot(tmp_path, noise(), nothing(), (), MOMENT).name for _ in range(2)]
    assert names == ["edgecam 2026-05-04 03-02-01.jpg", "edgecam 2026-05-04 03-02-01 (2).jpg"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_what_a_full_disk_cuts_short_is_not_left_there(tmp_path: Path, qapp: QApplication) -> None:
    with full_disk(), pytest.raises(OSError, match="too large"):
        write_snapshot(tmp_path, noise(), nothing(), (), MOMENT)
    assert not list(tmp_path.iterdir())


class SlowCard:
    """A folder whose files take their time: `write_snapshot` waits for `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.written: list[str] = []
        monkeypatch.setattr(snapshots, "write_snapshot", self._write)

    def _write(self, folder: Path, *args: Any) -> Path:
        self.go.wait(10)
        plain = write_snapshot(folder, *args)
        self.written.append(plain.name)
        return plain


def test_leaving_waits_for_what_a_slow_card_has_not_written(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, saver = SlowCard(monkeypatch), SnapshotSaver(tmp_path)
    for _ in range(3):
        saver.save(noise(), one(), ("cat",))
    assert not saver.finish(0.05)
    assert not card.written
    threading.Timer(0.1, card.go.set).start()
    assert saver.finish(10)
    assert len(card.written) == len(set(card.written)) == 3
    assert len(list(tmp_path.iterdir())) == 6


def test_a_card_that_is_too_slow_fills_no_memory(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, saver, failures = SlowCard(monkeypatch), SnapshotSaver(tmp_path), []
    saver.failed.connect(failures.append)
    for _ in range(MOST_WAITING + 2):
        saver.save(noise(), nothing(), ())
    assert len(failures) == 2
    assert str(tmp_path) in failures[0]
    card.go.set()
    assert saver.finish(10)
    assert len(card.written) == MOST_WAITING


def test_a_held_key_takes_one_snapshot(qapp: QApplication) -> None:
    window = QWidget()
    actions = WindowActions(window)
    assert not actions.snapshot.autoRepeat()
    assert not actions.freeze.autoRepeat()
    assert actions.higher.autoRepeat()
