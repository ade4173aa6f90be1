"""One form of address for every source, in the window and on the command line, and what is wrong with a wrong one."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from edgecam.camera.credentials import masked_url
from edgecam.camera.path_address import DeviceAddress, ImagesAddress, VideoAddress, parse_device, parse_path
from edgecam.camera.stream_address import STREAM_SCHEMES, StreamAddress, parse_stream
from edgecam.errors import CameraError

FORMS: Final = (
    "/dev/video0, a camera's id (`edgecam cameras` lists them), a video, a picture, a folder of pictures, "
    "rtsp://… (rtspu://… over UDP), http://…, picamera, pattern, demo"
)

# The names that udev gives to cameras below /dev/v4l/by-id and /dev/v4l/by-path.
_UDEV_NAME: Final = re.compile(r"(usb|pci|platform|virtual|acpi)[-:]\S*-video-index\d+$")
_ALMOST_STREAM: Final = re.compile(r"(?i)(rtsp[su]?|https?):")
_PATTERN: Final = re.compile(r"(\d{1,5})x(\d{1,5})(?:@(\d{1,4}(?:\.\d+)?))?$")


@dataclass(frozen=True, slots=True)
class IndexAddress:
    """A camera by its number: all that Windows and macOS offer through OpenCV."""

    index: int

    @property
    def text(self) -> str:
        return f"camera:{self.index}"


@dataclass(frozen=True, slots=True)
class PiAddress:
    """A camera on the Raspberry Pi's own connector, counted from 0."""

    index: int

    @property
    def text(self) -> str:
        return f"picamera:{self.index}"


@dataclass(frozen=True, slots=True)
class PatternAddress:
    """The test pattern."""

    size_wh: tuple[int, int] = (1280, 720)
    fps: float = 30.0

    @property
    def text(self) -> str:
        return f"pattern:{self.size_wh[0]}x{self.size_wh[1]}@{self.fps:g}"


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """The bundled demo clip."""

    @property
    def text(self) -> str:
        return "demo"


Address = (
    DeviceAddress
    | IndexAddress
    | PiAddress
    | VideoAddress
    | ImagesAddress
    | StreamAddress
    | PatternAddress
    | DemoAddress
)


def parse_address(text: str) -> Address:
    """What `text` addresses. Looks at the file system only to tell files, folders and devices apart.

    Raises:
        CameraError: `text` addresses nothing; says why.
    """
    text = text.strip()
    if not text:
        raise CameraError(f"The address of the camera is empty. Give one of: {FORMS}.")
    if "\0" in text or "\n" in text:
        raise CameraError("The address of the camera holds a line break or a zero byte.")
    scheme, separator, rest = text.partition("://")
    if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return _parse_url(scheme.lower(), rest)
    if _ALMOST_STREAM.match(text) and not os.path.exists(text):
        raise CameraError("The address of a stream has two slashes behind the colon: rtsp://192.168.1.20/live")
    keyword, _, rest = text.partition(":")
    if keyword in _KEYWORDS and not (rest and Path(text).exists()):
        return _KEYWORDS[keyword](rest)
    if _UDEV_NAME.match(text):
        return DeviceAddress(text)
    if text.isdecimal() and not Path(text).exists():
        return _parse_index(text)
    return _parse_path(text)


def _parse_path(text: str) -> Address:
    path = Path(text).expanduser()
    if "@" in text and not os.path.lexists(path):
        # Not repeated: it may be a login.
        raise CameraError("There is no such file. The address of a stream begins with rtsp:// or http://")
    if os.sep not in text and not path.suffix and not os.path.exists(path):  # of Path itself it raises
        shown = text if len(text) <= 80 else f"{text[:80]}…"
        raise CameraError(f"“{shown}” is neither a file nor any other source. Give one of: {FORMS}.")
    return parse_path(path)


def _parse_demo(rest: str) -> Address:
    if rest:
        raise CameraError(f"demo takes no options, but “{rest}” was given.")
    return DemoAddress()


def _parse_pattern(rest: str) -> Address:
    if not rest:
        return PatternAddress()
    match = _PATTERN.match(rest)
    if match is None:
        raise CameraError(f"“pattern:{rest}” is not a test pattern. An example: pattern:1280x720@30")
    size_wh = int(match[1]), int(match[2])
    fps = float(match[3] or 30)
    if not (32 <= size_wh[0] <= 7680 and 16 <= size_wh[1] <= 4320 and 0 < fps <= 1000):
        raise CameraError(
            f"“pattern:{rest}” is out of range: sizes from 32x16 to 7680x4320 at up to 1000 frames per second."
        )
    return PatternAddress(size_wh, fps)


def _parse_pi(rest: str) -> Address:
    if rest and not re.fullmatch(r"\d{1,2}", rest):
        raise CameraError(f"“picamera:{rest}” is not a Raspberry Pi camera. The first one is picamera:0")
    return PiAddress(int(rest or 0))


def _parse_v4l2(rest: str) -> Address:
    if not rest:
        raise CameraError("“v4l2:” needs the id of a camera; `edgecam cameras` lists them.")
    return parse_device(Path(rest)) if rest.startswith("/") else DeviceAddress(rest)


def _parse_index(rest: str) -> Address:
    if not re.fullmatch(r"\d{1,3}", rest):
        raise CameraError(f"“camera:{rest}” is not a camera. The first one is camera:0")
    if sys.platform == "linux":
        return parse_device(Path(f"/dev/video{int(rest)}"))
    return IndexAddress(int(rest))


_KEYWORDS: Final = {
    "demo": _parse_demo,
    "pattern": _parse_pattern,
    "picamera": _parse_pi,
    "v4l2": _parse_v4l2,
    "camera": _parse_index,
}


def _parse_url(scheme: str, rest: str) -> Address:
    if scheme == "file":
        host, slash, path = rest.partition("/")
        if host not in ("", "localhost") or not slash:
            shown = masked_url(f"file://{rest}")
            raise CameraError(f"{shown} is not a file of this machine; write file:///folder/file.")
        drive = re.match(r"[A-Za-z]:", path)
        return parse_path(Path(unquote(path if drive else f"/{path}")))
    if scheme not in STREAM_SCHEMES:
        raise CameraError(f"Addresses that begin with {scheme}:// are not supported. Give one of: {FORMS}.")
    return parse_stream(scheme, rest)
