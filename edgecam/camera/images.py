"""A picture, or a folder of pictures in the order a person would sort them."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edgecam.camera import png
from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.clock import Pacer
from edgecam.camera.jpeg import jpeg_fault
from edgecam.camera.opencv_log import silence_opencv
from edgecam.camera.path_address import IMAGE_SUFFIXES
from edgecam.errors import CameraError, EndOfStream
from edgecam.frames import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

FOLDER_FPS: Final = 1.0
_NAMED_FAULTS: Final = 3


class ImagesCamera(Camera):
    """Delivers one picture, or every picture of a folder at a fixed rate; a broken one is named, counted and passed.

    Args:
        path: a picture or a folder (not searched below).
        loop: begin again at the end.
        fps: pictures per second.

    Attributes:
        faults: a line for each picture that could not be read, since `open`.
    """

    live = False

    def __init__(self, path: Path, *, loop: bool = False, fps: float | None = None) -> None:
        super().__init__()
        if fps is not None and not fps > 0:
            raise CameraError(f"A rate of {fps:g} pictures per second cannot be played; it must be above 0.")
        self.name = path.name or str(path)
        self.address = str(path)
        self.faults: list[str] = []
        self._path, self._loop, self._fps = path, loop, fps or FOLDER_FPS
        self._files: list[Path] = []
        self._pacer = Pacer(self._fps)
        self._first: NDArray[np.uint8] | None = None
        self._at = 0

    def open(self) -> None:
        self._check_cancelled()
        self._forget()
        self._files = [self._path] if not self._path.is_dir() else pictures_in(self._path)
        self._at = self._next_id = self._dropped = 0
        self.faults = []
        self._pacer = Pacer(self._fps)
        try:
            self._first = self._next_image()
        except CameraError:
            self._forget()
            raise
        self._mode = CameraMode(self._first.shape[1], self._first.shape[0], self._fps if len(self._files) > 1 else None)

    def read(self, timeout_ms: int = 1000) -> Frame:
        if not self._files:
            raise CameraError(f"{self.name} is not open.")
        self._check_cancelled()
        image = self._next_image() if self._first is None else self._first
        self._first = None
        due = self._pacer.wait(self._cancelled)
        self._check_cancelled()
        frame = Frame(image, self._next_id, due, self._next_id / self._fps)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._forget()
        self._cancelled.clear()

    @property
    def duration_s(self) -> float | None:
        return len(self._files) / self._fps if self._files else None

    @property
    def frame_count(self) -> int | None:
        return len(self._files) or None

    def _forget(self) -> None:
        self._files = []
        self._first = None

    def _next_image(self) -> NDArray[np.uint8]:
        """The next picture that can be read."""
        in_a_row = 0
        while True:
            if self._at == len(self._files):
                if self._next_id == 0 and self._first is None and self.faults:
                    raise CameraError(self._nothing_readable())
                if not self._loop or in_a_row >= len(self._files):
                    raise EndOfStream(self._end_message())
                self._at = 0
            path = self._files[self._at]
            self._at += 1
            try:
                return read_image(path)
            except CameraError as error:
                in_a_row += 1
                self._dropped += 1
                if len(self.faults) < len(self._files):
                    self.faults.append(str(error))
                log.warning("%s", error)
            self._check_cancelled()

    def _nothing_readable(self) -> str:
        if len(self._files) == 1:
            return self.faults[0]
        return f"None of the {len(self._files)} pictures in {self._path} can be read. The first: {self.faults[0]}"

    def _end_message(self) -> str:
        if not self.faults:
            return f"{self.name} has ended."
        more = len(self.faults) - _NAMED_FAULTS
        named = " ".join(self.faults[:_NAMED_FAULTS]) + (f" And {more} more." if more > 0 else "")
        return f"{self.name} has ended; {len(self.faults)} of {len(self._files)} pictures could not be read. {named}"


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in `folder`, sorted with numbers by their value.

    Raises:
        CameraError: there are none, or the folder cannot be read.
    """
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()]
    except OSError as error:
        raise CameraError(f"{folder} cannot be read: {error.strerror or error}.") from error
    if not files:
        raise CameraError(f"The folder {folder} holds no pictures (jpg, png, bmp, webp, tif, …).")
    return sorted(files, key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture in a file, upright, as uint8 (H, W, 3) BGR, whatever its depth and number of channels.

    Raises:
        CameraError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CameraError(f"{path} cannot be read: {error.strerror or error}.") from error
    fault = None
    if data.startswith(b"\xff\xd8"):
        fault = jpeg_fault(data)
    elif data.startswith(png.START):
        fault = png.png_fault(data)
    image = None
    if data and fault is None:
        silence_opencv()
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except (cv2.error, MemoryError):
            fault = "too large or damaged"
    if image is None:
        raise CameraError(f"{path} is not a picture that can be read ({fault or ('damaged' if data else 'empty')}).")
    return np.asarray(image, np.uint8)
