"""A Raspberry Pi camera through `rpicam-vid`, which writes raw frames to a pipe; works from a frozen program, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgecam.camera.pi_modes import DEFAULT_FPS, choose, pi_modes
from edgecam.camera.pipe_reader import PipeReader
from edgecam.camera.reader_camera import ReaderCamera
from edgecam.camera.rpicam_listing import list_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.camera.base import CameraMode
    from edgecam.camera.stream_reader import StreamReader

_PIXEL_FORMAT: Final = "YU12"


class RpicamCamera(ReaderCamera):
    """Runs `rpicam-vid` and reads its YUV 4:2:0 frames; the newest wins.

    Args:
        index: the camera's number.
        program: the path of rpicam-vid or libcamera-vid.
        wanted: size and rate to ask for; None for 1280 × 720 at 30 frames per second.
    """

    never_repeats = True

    def __init__(self, index: int, program: str, *, wanted: CameraMode | None = None) -> None:
        super().__init__()
        self.name = f"Raspberry Pi camera {index}"
        self.address = self.device = f"picamera:{index}"
        self.wanted = wanted
        self._index, self._program = index, program
        self._modes: tuple[CameraMode, ...] = ()

    def new_reader(self) -> StreamReader:
        return PipeReader(self.name, self._prepare)

    def _prepare(self) -> tuple[list[str], CameraMode]:
        """The command, and what it will write; asks libcamera what the sensor can do."""
        sensors = [facts.modes for facts in list_facts(self._program) if facts.index == self._index]
        self._modes = pi_modes(sensors[0] if sensors else (), _PIXEL_FORMAT)
        mode, self.notice = choose(self.wanted, self._modes, self.name, _PIXEL_FORMAT)
        command = [
            self._program, "--nopreview", "--timeout", "0", "--camera", str(self._index), "--codec", "yuv420",
            "--width", str(mode.width), "--height", str(mode.height), "--framerate", f"{mode.fps or DEFAULT_FPS:g}",
            "--flush", "--output", "-",
        ]  # fmt: skip
        return command, mode

    @property
    def modes(self) -> Sequence[CameraMode]:
        return self._modes
