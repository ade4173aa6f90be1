"""A V4L2 device node: what it is, what it offers, and how it is set. Frames are the matter of `v4l2_stream`."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera import v4l2_abi as abi
from edgecam.camera import v4l2_controls, v4l2_modes

if TYPE_CHECKING:
    import ctypes
    from ctypes import c_int32

    from edgecam.camera.base import CameraMode
    from edgecam.camera.controls import Control


@dataclass(frozen=True, slots=True)
class Identity:
    """What a driver says of a device node."""

    driver: str
    card: str
    bus_info: str
    caps: int

    @property
    def captures(self) -> bool:
        """Whether frames can be had from it as from a camera: no codec, no metadata, no media-controller pipeline."""
        codec = self.caps & (abi.CAP_VIDEO_M2M | abi.CAP_VIDEO_M2M_MPLANE)
        video = self.caps & (abi.CAP_VIDEO_CAPTURE | abi.CAP_VIDEO_CAPTURE_MPLANE)
        return bool(video and self.caps & abi.CAP_STREAMING and not codec and not self.caps & abi.CAP_IO_MC)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a frame lie: what S_FMT really set."""

    width: int
    height: int
    pixel_format: str
    stride: int
    size: int


class V4l2Device:
    """An open device node. Controls may be set from any thread; all else is for the thread that opened it.

    Raises (every method): OSError as the kernel gives it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.Lock()
        try:
            self.identity = self._query()
        except OSError:
            self.close()
            raise
        mplane = self.identity.caps & abi.CAP_VIDEO_CAPTURE_MPLANE and not self.identity.caps & abi.CAP_VIDEO_CAPTURE
        self.buffer_type = abi.CAPTURE_MPLANE if mplane else abi.CAPTURE

    @property
    def fd(self) -> int:
        return self._fd

    def close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def ioctl(self, request: int, argument: ctypes.Structure | c_int32) -> None:
        """One request; `argument` is filled by the kernel."""
        if self._fd < 0:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        fcntl.ioctl(self._fd, request, argument, True)

    def _query(self) -> Identity:
        answer = abi.Capability()
        self.ioctl(abi.QUERYCAP, answer)
        caps = answer.device_caps if answer.capabilities & abi.CAP_DEVICE_CAPS else answer.capabilities
        return Identity(abi.text(answer.driver), abi.text(answer.card), abi.text(answer.bus_info), caps)

    # What it offers

    def pixel_formats(self) -> list[tuple[str, str]]:
        """Each format's four letters and the driver's description of it."""
        entries = v4l2_modes.pixel_formats(self.ioctl, self.buffer_type)
        return [(abi.fourcc_text(entry.pixelformat), abi.text(entry.description)) for entry in entries]

    def modes(self) -> list[CameraMode]:
        """Every format, size and rate; ranges are given by their usual values and their limits."""
        return v4l2_modes.modes(self.ioctl, self.buffer_type, self._present_wh)

    def _present_wh(self) -> tuple[int, int]:
        layout = self.layout()
        return layout.width, layout.height

    # How it is set

    def layout(self) -> Layout:
        """What is set now."""
        setting = abi.Format(type=self.buffer_type)
        self.ioctl(abi.G_FMT, setting)
        return self._layout(setting)

    def set_format(self, width: int, height: int, pixel_format: str) -> Layout:
        """Asks for a format; drivers answer with the nearest they have."""
        setting = abi.Format(type=self.buffer_type)
        pix = setting.fmt.mplane if self.buffer_type == abi.CAPTURE_MPLANE else setting.fmt.pix
        pix.width, pix.height = width, height
        pix.pixelformat, pix.field = _code(pixel_format), abi.FIELD_ANY
        self.ioctl(abi.S_FMT, setting)
        return self._layout(setting)

    def _layout(self, setting: abi.Format) -> Layout:
        if self.buffer_type == abi.CAPTURE_MPLANE:
            many = setting.fmt.mplane
            plane = many.planes[0]
            stride, size = plane.bytesperline, plane.sizeimage
            return Layout(many.width, many.height, abi.fourcc_text(many.pixelformat), stride, size)
        pix = setting.fmt.pix
        return Layout(pix.width, pix.height, abi.fourcc_text(pix.pixelformat), pix.bytesperline, pix.sizeimage)

    def set_fps(self, fps: float | None) -> float | None:
        """Asks for a rate (None: leaves it) and returns what was set; None where the driver does not say."""
        parameters = abi.StreamParameters(type=self.buffer_type)
        try:
            self.ioctl(abi.G_PARM, parameters)
            if fps and parameters.capability & abi.CAP_TIMEPERFRAME:
                parameters.timeperframe = abi.Fraction(1000, round(fps * 1000))
                self.ioctl(abi.S_PARM, parameters)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return None
            raise
        return v4l2_modes.rate(parameters.timeperframe)

    # Controls

    def controls(self) -> list[Control]:
        """Every control that can be set, with its present value, in the driver's order."""
        with self._lock:
            return v4l2_controls.list_controls(self.ioctl)

    def set_control(self, key: str, value: int) -> None:
        """Sets the control named `key`.

        Raises:
            KeyError: there is no such control.
        """
        with self._lock:
            v4l2_controls.set_control(self.ioctl, key, value)


def _code(pixel_format: str) -> int:
    big_endian = pixel_format.endswith("-BE")
    return abi.fourcc(pixel_format.removesuffix("-BE")) | (1 << 31 if big_endian else 0)
