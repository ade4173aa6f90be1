"""From an address to the camera behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam import resources
from edgecam.camera.address import DemoAddress, IndexAddress, PatternAddress, PiAddress, parse_address
from edgecam.camera.path_address import DeviceAddress, ImagesAddress, VideoAddress
from edgecam.camera.stream_address import StreamAddress
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.camera.base import Camera, CameraMode
    from edgecam.camera.credentials import Credentials


def camera_for(
    text: str,
    *,
    loop: bool = False,
    realtime: bool = False,
    fps: float | None = None,
    credentials: Credentials | None = None,
    wanted: CameraMode | None = None,
    settings: Mapping[str, int] | None = None,
) -> Camera:
    """The camera at the address `text`, not yet opened.

    Args:
        text: see `address.parse_address`.
        loop, realtime, fps: how files are played; see `VideoCamera` and `ImagesCamera`.
        wanted: the mode to ask a camera for; None for a good default. Passed over by what has no modes.
        settings: values of a camera's controls, by key, to set at each opening.
        credentials: for a stream whose server asks for them; those inside `text` go first.

    Raises:
        CameraError: the address is wrong; says why.
    """
    match parse_address(text):
        case DemoAddress():
            return _demo()
        case PatternAddress(size_wh, pattern_fps):
            from edgecam.camera.pattern import PatternCamera

            return PatternCamera(size_wh=size_wh, fps=pattern_fps)
        case VideoAddress(path):
            from edgecam.camera.video import VideoCamera

            return VideoCamera(path, loop=loop, realtime=realtime, fps=fps)
        case ImagesAddress(path):
            from edgecam.camera.images import ImagesCamera

            return ImagesCamera(path, loop=loop, fps=fps)
        case StreamAddress() as address:
            from edgecam.camera.stream import stream_camera

            return stream_camera(address, credentials)
        case DeviceAddress(device_id):
            from edgecam.camera.v4l2 import V4l2Camera

            return V4l2Camera(device_id, wanted=wanted, settings=settings)
        case IndexAddress(index):
            from edgecam.camera.system import SystemCamera

            return SystemCamera(index, wanted=wanted)
        case PiAddress(index):
            from edgecam.camera.picamera import pi_camera

            return pi_camera(index, wanted, settings)


def _demo() -> Camera:
    from edgecam.camera.video import VideoCamera

    path = resources.demo_clip()
    if not path.is_file():
        raise CameraError(f"The demo clip {path} is missing: this installation of edgecam is incomplete.")
    return VideoCamera(path, loop=True, realtime=True, name="Demo", address="demo")
