"""A video file, played at its own rate."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.clock import MediaClock
from edgecam.camera.ffmpeg import open_capture, pixel_format
from edgecam.errors import CameraError, EndOfStream
from edgecam.frames import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FALLBACK_FPS: Final = 25.0
_MAX_CATCH_UP_S: Final = 0.5


class VideoCamera(Camera):
    """Delivers every frame of a file in turn, paced by the file's own time stamps.

    Args:
        path: the file.
        loop: begin again at the end; frame ids go on counting.
        realtime: keep up with the clock: what comes late is skipped and counted in `dropped` (the camera is live).
        fps: play at this rate instead of the file's own; `math.inf` for as fast as it can be read.
        name, address: where they differ from the file's.
    """

    def __init__(
        self,
        path: Path,
        *,
        loop: bool = False,
        realtime: bool = False,
        fps: float | None = None,
        name: str | None = None,
        address: str | None = None,
    ) -> None:
        super().__init__()
        if fps is not None and not fps > 0:
            raise CameraError(f"A rate of {fps:g} frames per second cannot be played; it must be above 0.")
        self.name = name or path.name
        self.address = address or str(path)
        self.live = realtime
        self._path, self._loop, self._wanted_fps = path, loop, fps
        self._capture: cv2.VideoCapture | None = None
        self._file_fps = _FALLBACK_FPS
        self._clock = MediaClock(0)
        self._frame_count: int | None = None
        self._grabbed = False
        self._index = -1  # of the frame last grabbed in this round of the file
        self._position_s = 0.0
        self._round_s = 0.0  # where this round of a loop began, on the clock

    def open(self) -> None:
        self._check_cancelled()
        self._close_file()
        self._next_id = self._dropped = 0
        self._round_s = 0.0
        try:
            capture = self._open_file()
            image = self._retrieve(capture)
        except CameraError:
            self._close_file()
            raise
        fps = self._wanted_fps or self._file_fps
        self._mode = CameraMode(image.shape[1], image.shape[0], None if math.isinf(fps) else fps, pixel_format(capture))
        # A live file makes up for up to half a second; a file that waits for its consumer never hurries.
        self._clock = MediaClock(_MAX_CATCH_UP_S if self.live else 1 / fps)

    def read(self, timeout_ms: int = 1000) -> Frame:
        capture = self._capture
        if capture is None:
            raise CameraError(f"{self.name} is not open.")
        self._check_cancelled()
        if not self._grabbed:
            capture = self._advance(capture)
        if self.live:
            capture = self._catch_up(capture)
        due = self._clock.wait(self._due_s(), self._cancelled)
        self._check_cancelled()
        self._grabbed = False
        frame = Frame(self._retrieve(capture), self._next_id, due, self._position_s)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._close_file()
        self._cancelled.clear()

    def resume(self) -> None:
        self._clock.restart()

    @property
    def duration_s(self) -> float | None:
        return self._frame_count / self._file_fps if self._frame_count else None

    @property
    def frame_count(self) -> int | None:
        return self._frame_count

    def _close_file(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None
        self._grabbed = False

    def _open_file(self) -> cv2.VideoCapture:
        """Opens the file and grabs its first frame."""
        if not self._path.is_file():
            raise CameraError(f"There is no file {self._path}.")
        try:
            capture = self._capture = open_capture(str(self._path.absolute()))
        except (cv2.error, UnicodeError) as error:
            raise CameraError(f"{self._path} cannot be opened as a video: {error}.") from error
        if not capture.isOpened() or not capture.grab():
            raise CameraError(f"{self._path} cannot be played: it is no video, or cut off, or of an unknown format.")
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._file_fps = fps if 0 < fps <= 1000 else _FALLBACK_FPS
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._frame_count = count if count > 0 else None
        self._index, self._grabbed, self._position_s = 0, True, 0.0
        return capture

    def _retrieve(self, capture: cv2.VideoCapture) -> NDArray[np.uint8]:
        has_picture, image = capture.retrieve()
        if not has_picture:
            raise CameraError(f"{self.name}: frame {self._next_id} cannot be decoded.")
        return np.asarray(image, np.uint8)

    def _advance(self, capture: cv2.VideoCapture) -> cv2.VideoCapture:
        """Grabs the next frame, from the beginning where a loop ends; returns the capture that holds it."""
        if capture.grab():
            self._index += 1
            self._grabbed = True
            position_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some files carry no usable time stamps; then the frames are taken as evenly spaced.
            usable = self._position_s < position_s < self._position_s + 3600
            self._position_s = position_s if usable else self._position_s + 1 / self._file_fps
            return capture
        if not self._loop:
            raise EndOfStream(self._end_message())
        self._round_s += self._position_s + 1 / self._file_fps
        self._close_file()
        return self._open_file()

    def _catch_up(self, capture: cv2.VideoCapture) -> cv2.VideoCapture:
        started = time.monotonic()
        period_s = 1 / (self._wanted_fps or self._file_fps)
        while self._clock.late_s(self._due_s()) > period_s and time.monotonic() - started < _MAX_CATCH_UP_S:
            self._dropped += 1
            capture = self._advance(capture)
        return capture

    def _due_s(self) -> float:
        if self._wanted_fps is not None:
            return (self._next_id + (self._dropped if self.live else 0)) / self._wanted_fps
        return self._round_s + self._position_s

    def _end_message(self) -> str:
        delivered, expected = self._index + 1, self._frame_count or 0
        missing_s = expected / self._file_fps - self._position_s
        if delivered < 0.98 * expected - 1 and missing_s > 0.5:
            return f"{self.name} ends early, after {delivered} of {expected} frames: the file is cut off or damaged."
        return f"{self.name} has ended."
