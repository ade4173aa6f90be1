"""The way of a picture to the screen: scaled and converted outside the GUI thread, handed over without a queue."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgecam.pipeline.rates import LatencySeries
from edgecam.scaling import Scaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgecam.frames import Frame

# A larger view is filled by stretching a picture of this size: scaling up further costs time and shows no more.
MAX_WIDTH = 2560


@dataclass(slots=True)
class Picture:
    """A frame ready to be painted: `pixels` is uint8 (h, w, 4), BGRX, at the size it has on the screen."""

    frame: Frame
    pixels: NDArray[np.uint8]


def fitted_size(frame_wh: tuple[int, int], view_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest size with the frame's proportions inside the view, in pixels; at least 1 x 1."""
    scale = min(view_wh[0] / frame_wh[0], view_wh[1] / frame_wh[1])
    return max(1, round(frame_wh[0] * scale)), max(1, round(frame_wh[1] * scale))


class ViewFeed:
    """Three buffers between one producer and the view: one is written, one is newest, one is on the screen.

    So nothing is allocated per picture, and what is painted is never written to.

    Attributes:
        missed: pictures that were replaced before they could be painted, since the last `reset`.
        convert: milliseconds that scaling and conversion took.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view_wh = (960, 540)
        self._spare: list[NDArray[np.uint8]] = []
        self._newest: Picture | None = None
        self._shown: Picture | None = None
        self._fresh = False
        self._scaler: Scaler | None = None
        self.missed = 0
        self.convert = LatencySeries()

    # View

    def set_view_size(self, view_wh: tuple[int, int]) -> None:
        """Size of the place for the picture, in device pixels; acts on the next frame."""
        self._view_wh = (max(1, view_wh[0]), max(1, view_wh[1]))

    def latest(self) -> Picture | None:
        """The newest picture; the one given before may be written to from now on."""
        with self._lock:
            if self._fresh:
                if self._shown is not None:
                    self._spare.append(self._shown.pixels)
                self._shown, self._newest, self._fresh = self._newest, None, False
            return self._shown

    def reset(self) -> None:
        """Counts afresh, for another camera."""
        with self._lock:
            self.missed = 0

    # Producer

    def publish(self, frame: Frame) -> bool:
        """Converts `frame` and makes it the newest; True when the view has to be woken (it was not since the last)."""
        started = time.perf_counter()
        view_wh = self._view_wh
        width, height = fitted_size(frame.size_wh, (min(view_wh[0], MAX_WIDTH), view_wh[1]))
        pixels = self._buffer((height, width, 4))
        image = frame.image
        if (width, height) != frame.size_wh:
            if self._scaler is None or (self._scaler.from_wh, self._scaler.to_wh) != (frame.size_wh, (width, height)):
                self._scaler = Scaler(frame.size_wh, (width, height))
            image = self._scaler(image)
        cv2.cvtColor(image, cv2.COLOR_BGR2BGRA, dst=pixels)
        self.convert.add((time.perf_counter() - started) * 1e3)
        with self._lock:
            was_fresh = self._fresh
            if self._newest is not None:
                self._spare.append(self._newest.pixels)
                self.missed += 1
            self._newest, self._fresh = Picture(frame, pixels), True
        return not was_fresh

    def _buffer(self, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        with self._lock:
            while self._spare:
                pixels = self._spare.pop()
                if pixels.shape == shape:
                    return pixels
        return np.empty(shape, np.uint8)
