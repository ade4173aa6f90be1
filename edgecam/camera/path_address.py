"""Addresses that are paths: devices, videos, pictures and folders of them; and what is wrong with a wrong one."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edgecam.errors import CameraError

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".ppm",
                                   ".pgm", ".pnm", ".jp2"})  # fmt: skip
_V4L_MAJOR: Final = 81


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """A V4L2 camera by its node ("/dev/video0") or by what stays the same over reboots (by-id, by-path, bus)."""

    device_id: str

    @property
    def text(self) -> str:
        return self.device_id if self.device_id.startswith("/dev/") else f"v4l2:{self.device_id}"


@dataclass(frozen=True, slots=True)
class VideoAddress:
    """A video file."""

    path: Path

    @property
    def text(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class ImagesAddress:
    """A picture, or a folder of pictures."""

    path: Path

    @property
    def text(self) -> str:
        return str(self.path)


PathAddress = DeviceAddress | VideoAddress | ImagesAddress


def parse_path(path: Path) -> PathAddress:
    """What lies at `path`.

    Raises:
        CameraError: nothing, or nothing that can be opened; says which.
    """
    if path.parts[:2] == (os.sep, "dev"):
        return parse_device(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CameraError(f"There is no file {path}.") from None
    except OSError as error:
        raise CameraError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if stat.S_ISCHR(mode):
        return parse_device(path)
    if stat.S_ISDIR(mode):
        return ImagesAddress(path.absolute())
    if not stat.S_ISREG(mode):
        raise CameraError(f"{path} is {_what_it_is(mode)}, which cannot be opened as a video.")
    return _parse_file(path.absolute())


def _parse_file(path: Path) -> PathAddress:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CameraError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise CameraError(f"{path} is empty.")
    if path.suffix.lower() == ".onnx":
        raise CameraError(f"{path} is a model, not a video: give it with --model, or drop it on the window.")
    if path.suffix.lower() in IMAGE_SUFFIXES or _is_image(head):
        return ImagesAddress(path)
    # FFmpeg would play a text file as terminal art.
    if _is_text(head):
        raise CameraError(f"{path} is a text file, not a video or a picture.")
    return VideoAddress(path)


def _is_image(head: bytes) -> bool:
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    )


def _is_text(head: bytes) -> bool:
    return not re.search(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\xff]", head)


def parse_device(path: Path) -> DeviceAddress:
    """A device node, checked; a link below /dev/v4l becomes the id it names.

    Raises:
        CameraError: there is none, or it is no camera.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise CameraError(f"There is no camera {path}. `edgecam cameras` lists those that are connected.") from None
    except OSError as error:
        raise CameraError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if not stat.S_ISCHR(status.st_mode):
        raise CameraError(f"{path} is {_what_it_is(status.st_mode)}, not a camera.")
    if os.major(status.st_rdev) != _V4L_MAJOR:
        raise CameraError(f"{path} is a device, but not a camera.")
    if path.parts[:3] == (os.sep, "dev", "v4l"):
        return DeviceAddress(path.name)
    return DeviceAddress(str(path))


def _what_it_is(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe (FIFO)"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a disk"),
        (stat.S_ISREG, "a regular file"),
    )
    return next((text for test, text in kinds if test(mode)), "of an unknown kind")
