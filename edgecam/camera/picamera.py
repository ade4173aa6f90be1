"""Cameras on a Raspberry Pi's own connector, through libcamera: which way there is."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from edgecam.camera.rpicam_listing import find_program
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.camera.base import Camera, CameraMode


def pi_camera(index: int, wanted: CameraMode | None = None, settings: Mapping[str, int] | None = None) -> Camera:
    """The camera with the number `index`: through picamera2 where this Python has it, else through rpicam-vid.

    Args:
        index: counts from 0.
        wanted: size and rate to ask for.
        settings: values of controls; for picamera2 alone, because rpicam-vid lets nothing be set while it runs.

    Raises:
        CameraError: there is neither.
    """
    if _has_picamera2():
        from edgecam.camera.picamera2_camera import Picamera2Camera

        return Picamera2Camera(index, wanted=wanted, settings=settings)
    program = find_program()
    if program is None:
        raise CameraError(
            "Raspberry Pi cameras need picamera2 or rpicam-vid. On Raspberry Pi OS: sudo apt install rpicam-apps-lite"
        )
    from edgecam.camera.rpicam import RpicamCamera

    return RpicamCamera(index, program, wanted=wanted)


def _has_picamera2() -> bool:
    # A frozen program has a Python of its own, which cannot load the system's libcamera; nor can a virtual environment
    # into which picamera2 alone was installed.
    return not getattr(sys, "frozen", False) and all(map(importlib.util.find_spec, ("picamera2", "libcamera")))
