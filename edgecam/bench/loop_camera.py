"""A camera made of frames in memory: as fast as one asks, without the cost of decoding."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.clock import Pacer
from edgecam.errors import CameraError
from edgecam.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class LoopCamera(Camera):
    """Delivers `images` (uint8 (H, W, 3) BGR, all of one size) again and again.

    Args:
        fps: frames per second; `math.inf`, for a file, as fast as they are taken.
        live: see `Camera`.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], *, fps: float, live: bool) -> None:
        super().__init__()
        if live and not math.isfinite(fps):
            raise CameraError("A live source needs a rate.")
        self.name, self.address, self.live = "Frames in memory", "memory", live
        self._images, self._fps = images, fps
        self._pacer: Pacer | None = None
        self._next_id = 0

    def open(self) -> None:
        self._check_cancelled()
        self._pacer = Pacer(self._fps) if math.isfinite(self._fps) else None
        self._next_id = 0

    def read(self, timeout_ms: int = 1000) -> Frame:
        due = self._pacer.wait(self._cancelled) if self._pacer else time.monotonic()
        self._check_cancelled()
        position_s = None if self.live else float(self._next_id)
        frame = Frame(self._images[self._next_id % len(self._images)], self._next_id, due, position_s)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._cancelled.clear()

    @property
    def mode(self) -> CameraMode:
        height, width = self._images[0].shape[:2]
        return CameraMode(width, height, self._fps if math.isfinite(self._fps) else None)


def sample_frames(clip: Path, count: int) -> list[NDArray[np.uint8]]:
    """`count` frames spread evenly over a video, uint8 (H, W, 3) BGR.

    Raises:
        CameraError: it cannot be read.
    """
    capture = cv2.VideoCapture(str(clip))
    try:
        total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = set(np.linspace(0, max(0, total - 1), count).astype(int).tolist())
        frames: list[NDArray[np.uint8]] = []
        for index in range(total):
            if not capture.grab():
                break
            if index in wanted:
                arrived, image = capture.retrieve()
                if arrived:
                    frames.append(np.asarray(image, np.uint8))
    finally:
        capture.release()
    if not frames:
        raise CameraError(f"{clip} cannot be read.")
    return frames
