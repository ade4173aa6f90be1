"""Reading until something happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.errors import CameraError
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
