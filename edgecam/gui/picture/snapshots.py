"""Snapshots: the frame on the screen as a file, with and without its boxes."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import platformdirs
from PySide6.QtCore import QObject, QRectF, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage, QPainter

from edgecam.errors import EdgecamError
from edgecam.gui.picture.overlay import draw_boxes
from edgecam.gui.picture.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.detections import Detections
    from edgecam.frames import Frame

log = logging.getLogger(__name__)
JPEG_QUALITY = 95
MOST_WAITING = 8  # whole frames in memory


def default_folder() -> Path:
    """The user's folder for pictures (XDG on Linux)."""
    return Path(platformdirs.user_pictures_dir()) / "edgecam"


class SnapshotSaver(QObject):
    """Writes snapshots in threads of their own, one after the other, so that a slow card never holds up the picture.

    At most `MOST_WAITING` wait for a card that is slower than whoever takes them.
    """

    saved = Signal(str)
    failed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._threads: list[threading.Thread] = []
        self._turn = threading.Lock()

    def save(self, frame: Frame, detections: Detections, labels: Sequence[str]) -> None:
        """Writes the frame as it is and, where there are detections, once more with them drawn."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) >= MOST_WAITING:
            self.failed.emit(f"The snapshot was not taken: {len(self._threads)} are still being saved to {self.folder}")
            return
        thread = threading.Thread(
            target=self._save, args=(frame, detections, labels, datetime.now()), name="snapshot", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def open_folder(self) -> None:
        """Shows the folder in the system's file manager; it is made where nothing was saved yet."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.failed.emit(f"{self.folder} cannot be made: {error.strerror or error}")
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder)))

    def finish(self, timeout_s: float) -> bool:
        """Waits until all are written, before the program ends; False where a disk does not answer in time."""
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        late = sum(thread.is_alive() for thread in self._threads)
        if late:
            log.warning("%d snapshots were not saved to %s within %g s", late, self.folder, timeout_s)
        return not late

    def _save(self, frame: Frame, detections: Detections, labels: Sequence[str], moment: datetime) -> None:
        try:
            with self._turn:  # two of one second look for a free name
                plain = write_snapshot(self.folder, frame, detections, labels, moment)
        except (OSError, EdgecamError) as error:
            log.warning("Snapshot failed: %s", error)
            self.failed.emit(f"The snapshot was not saved to {self.folder}: {error}")
            return
        self.saved.emit(f"Saved {plain.name} to {self.folder}")


def write_snapshot(folder: Path, frame: Frame, detections: Detections, labels: Sequence[str], moment: datetime) -> Path:
    """Writes `NAME.jpg` and, where there are detections, `NAME boxes.jpg`; returns the path of the first.

    Raises:
        OSError, EdgecamError: the folder or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = _free_path(folder, f"edgecam {moment:%Y-%m-%d %H-%M-%S}")
    _write(plain, _as_jpeg(frame.image))
    if len(detections):
        _write(plain.with_name(f"{plain.stem} boxes.jpg"), _as_jpeg(_with_boxes(frame, detections, labels)))
    return plain


def _write(path: Path, data: bytes) -> None:
    """A picture that the disk has no room for leaves nothing behind."""
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _as_jpeg(image: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise EdgecamError("the picture could not be encoded")
    return data.tobytes()


def _with_boxes(frame: Frame, detections: Detections, labels: Sequence[str]) -> NDArray[np.uint8]:
    """The frame with its boxes, uint8 (H, W, 3) BGR; lines and letters grow with the picture."""
    width, height = frame.size_wh
    pixels = cv2.cvtColor(frame.image, cv2.COLOR_BGR2BGRA)
    painter = QPainter(canvas := QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32))
    draw_boxes(
        painter,
        detections,
        labels,
        Tags(max(12.0, height / 50)),
        place=QRectF(0, 0, width, height),
        frame_wh=frame.size_wh,
        line_px=max(2.0, height / 360),
    )
    painter.end()
    del canvas
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)


def _free_path(folder: Path, stem: str) -> Path:
    """`stem.jpg`, or with a number where two were taken in one second."""
    path, number = folder / f"{stem}.jpg", 2
    while path.exists():
        path, number = folder / f"{stem} ({number}).jpg", number + 1
    return path
