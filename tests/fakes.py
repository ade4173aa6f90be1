"""Cameras that misbehave on command: real subclasses of the real contract."""

from __future__ import annotations

import threading
import time

import numpy as np

from edgecam.camera.base import CameraMode
from edgecam.camera.pattern import PatternCamera
from edgecam.errors import CameraError, CameraLost, CameraTimeout
from edgecam.frames import Frame


class FaultyCamera(PatternCamera):
    """A test pattern whose failures are switched on and off by the test.

    Attributes:
        refuses: `open` fails.
        unplugged: reading fails for good and so does opening, until it is unset.
        silent: reading times out.
        hangs: `open` blocks until it is cancelled or for `hang_s`.
    """

    def __init__(self, *, fps: float = 30.0, device: str | None = "/dev/fake0", name: str = "Fake Cam") -> None:
        super().__init__(size_wh=(640, 360), fps=fps)
        self.name, self.device, self.address = name, device, name.lower().replace(" ", "-")
        self.refuses = self.unplugged = self.silent = self.hangs = False
        self.hang_s = 30.0
        self.opened = threading.Event()

    def open(self) -> None:
        self._cancelled.clear()
        if self.hangs and self._cancelled.wait(self.hang_s):
            raise CameraError(f"{self.name}: opening was cancelled.")
        if self.refuses or self.unplugged:
            raise CameraError(f"{self.name} is not there; plug it in.")
        super().open()
        self.opened.set()

    def read(self, timeout_ms: int = 1000) -> Frame:
        if self.unplugged:
            raise CameraLost(f"{self.name} was unplugged.")
        if self.silent:
            self._cancelled.wait(timeout_ms / 1000)
            raise CameraTimeout(f"{self.name} sends no pictures.")
        return super().read(timeout_ms)


class PlainCamera(PatternCamera):
    """Pictures of one colour."""

    def __init__(self, colour_bgr: tuple[int, int, int], size_wh: tuple[int, int] = (320, 240)) -> None:
        super().__init__(size_wh=size_wh, fps=30)
        self.name, self.address = f"Plain {colour_bgr}", f"plain-{colour_bgr}"
        self._colour, self._count = colour_bgr, 0

    def read(self, timeout_ms: int = 1000) -> Frame:
        super().read(timeout_ms)
        image = np.empty((self._size_wh[1], self._size_wh[0], 3), np.uint8)
        image[:] = self._colour
        self._count += 1
        return Frame(image, self._count - 1, time.monotonic())

    @property
    def mode(self) -> CameraMode:
        return CameraMode(*self._size_wh, 30.0, "BGR3")
