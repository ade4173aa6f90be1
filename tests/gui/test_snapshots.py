"""Snapshots as files: with and without boxes, twice in a second, and on a disk that is full."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.detections import Detections
from edgecam.frames import Frame
from edgecam.gui.picture.snapshots import write_snapshot

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
