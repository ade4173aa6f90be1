"""Cameras on a Raspberry Pi's own connector, through libcamera: which ways there are, and which cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.camera.picamera2_module import has_picamera2, list_picamera2
from edgecam.camera.rpicam_listing import find_program, has_media_devices, list_rpicam
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.camera.base import Camera, CameraMode
    from edgecam.camera.info import CameraInfo


def pi_camera(index: int, wanted: CameraMode | None = None, settings: Mapping[str, int] | None = None) -> Camera:
    """The camera with the number `index`: through picamera2 where this Python has it, else through rpicam-vid.

    Args:
        index: counts from 0.
        wanted: size and rate to ask for.
        settings: values of controls; for picamera2 alone, because rpicam-vid lets nothing be set while it runs.

    Raises:
        CameraError: there is neither.
    """
    if has_picamera2():
        from edgecam.camera.picamera2_camera import Picamera2Camera

        return Picamera2Camera(index, wanted=wanted, settings=settings)
    program = find_program()
    if program is None:
        raise CameraError(
            "Raspberry Pi cameras need picamera2 or rpicam-vid. On Raspberry Pi OS: sudo apt install rpicam-apps-lite"
        )
    from edgecam.camera.rpicam import RpicamCamera

    return RpicamCamera(index, program, wanted=wanted)


def pi_cameras() -> list[CameraInfo]:
    """The cameras that libcamera finds on this machine; from rpicam-vid where there is one, which is quicker."""
    if not has_media_devices():
        return []
    program = find_program()
    if program is not None:
        return list_rpicam(program)
    return list_picamera2() if has_picamera2() else []
