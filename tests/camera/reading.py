"""Reading until something happens."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.errors import CameraError

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.frames import Frame


def read_until(
    camera: Camera, error: type[CameraError], timeout_ms: int = 5000, patience_s: float = 10
) -> tuple[list[Frame], str]:
    """Reads until `error` is raised; the frames before it, and what it says."""
    frames: list[Frame] = []
    deadline = time.monotonic() + patience_s
    try:
        while time.monotonic() < deadline:
            frames.append(camera.read(timeout_ms))
    except error as fault:
        return frames, str(fault)
    pytest.fail(f"no {error.__name__} within {patience_s:g} s")


def cancelled_opening(camera: Camera, after_s: float = 0.4) -> tuple[CameraError, float]:
    """Opens in a thread and cancels after a while: what `open` raised, and how long it took to end (s)."""
    caught: list[CameraError] = []

    def work() -> None:
        try:
            camera.open()
        except CameraError as error:
            caught.append(error)

    thread = threading.Thread(target=work, name="opens")
    thread.start()
    time.sleep(after_s)
    assert thread.is_alive()
    cancelled_at = time.monotonic()
    camera.cancel()
    thread.join(5)
    assert caught, "open did not end, or raised nothing"
    return caught[0], time.monotonic() - cancelled_at


def made_at(frame: Frame) -> float:
    """When the server made the frame (monotonic s), read from its pixels."""
    columns = ((np.arange(32) + 0.5) * (frame.image.shape[1] // 32)).astype(int)
    bits = frame.image[frame.image.shape[0] // 2, columns].mean(axis=1) > 127
    return int((bits.astype(np.int64) << np.arange(32)).sum()) / 1000
