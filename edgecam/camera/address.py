"""One form of address for every source, in the window and on the command line, and what is wrong with a wrong one."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from edgecam.camera.credentials import Credentials, masked_url
from edgecam.errors import CameraError

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".ppm",
                                   ".pgm", ".pnm", ".jp2"})  # fmt: skip
STREAM_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https"})
FORMS: Final = (
    "/dev/video0, a camera's id (`edgecam cameras` lists them), a video, a picture, a folder of pictures, "
    "rtsp://…, http://…, picamera, pattern, demo"
)

# The names that udev gives to cameras below /dev/v4l/by-id and /dev/v4l/by-path.
_UDEV_NAME: Final = re.compile(r"(usb|pci|platform|virtual|acpi)[-:]\S*-video-index\d+$")
_PATTERN: Final = re.compile(r"(\d{1,5})x(\d{1,5})(?:@(\d{1,4}(?:\.\d+)?))?$")
_V4L_MAJOR: Final = 81


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """A V4L2 camera by its node ("/dev/video0") or by what stays the same over reboots (by-id, by-path, bus)."""

    device_id: str

    @property
    def text(self) -> str:
        return self.device_id if self.device_id.startswith("/dev/") else f"v4l2:{self.device_id}"


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


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """A stream; `url` and `text` hold no secret, `credentials` and `secret_url` never reach a log."""

    url: str
    secret_url: str
    credentials: Credentials | None = None

    @property
    def text(self) -> str:
        return masked_url(self.url)

    def __repr__(self) -> str:
        return f"StreamAddress({self.text!r})"


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
    keyword, _, rest = text.partition(":")
    if keyword in _KEYWORDS and not (rest and Path(text).exists()):
        return _KEYWORDS[keyword](rest)
    if _UDEV_NAME.match(text):
        return DeviceAddress(text)
    if text.isdecimal() and not Path(text).exists():
        return _parse_index(text)
    return _parse_path(Path(text).expanduser())


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
    return _device(Path(rest)) if rest.startswith("/") else DeviceAddress(rest)


def _parse_index(rest: str) -> Address:
    if not re.fullmatch(r"\d{1,3}", rest):
        raise CameraError(f"“camera:{rest}” is not a camera. The first one is camera:0")
    if sys.platform == "linux":
        return _device(Path(f"/dev/video{int(rest)}"))
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
            raise CameraError(f"file://{rest} is not a file of this machine; write file:///folder/file.")
        drive = re.match(r"[A-Za-z]:", path)
        return _parse_path(Path(unquote(path if drive else f"/{path}")))
    if scheme not in STREAM_SCHEMES:
        raise CameraError(f"Addresses that begin with {scheme}:// are not supported. Give one of: {FORMS}.")
    return _parse_stream(scheme, rest)


def _parse_stream(scheme: str, rest: str) -> StreamAddress:
    rest = rest.replace(" ", "%20")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, at, host_port = authority.rpartition("@")
    if not at and "@" in rest and not re.search(r"^[^:]+(:\d+)?$", authority):
        # Passwords are typed as they are, with "/", "?" or "#" in them: then the last "@" ends the login.
        login, at, tail = rest.rpartition("@")
        host_port = re.split(r"[/?#]", tail, maxsplit=1)[0]
    tail = rest[len(login) + len(at) :]
    url = f"{scheme}://{tail}"
    shown = masked_url(url)
    if not _is_host(host_port):
        raise CameraError(f"{shown} does not name a server: an example is {scheme}://192.168.1.20/stream")
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise CameraError(f"{shown}: the port must be a number from 1 to 65535.")
    if "***" in url:
        raise CameraError(f"{shown} was kept without its password. Enter the whole address again.")
    credentials = None
    if at:
        user, _, password = login.partition(":")
        credentials = Credentials(unquote(user), unquote(password))
    return StreamAddress(url, credentials.into(url) if credentials else url, credentials)


def _is_host(text: str) -> bool:
    return re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:@\[\]]+)(:-?\w*)?", text) is not None and ".." not in text


def _parse_path(path: Path) -> Address:
    if path.parts[:2] == (os.sep, "dev"):
        return _device(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CameraError(_missing(path)) from None
    except OSError as error:
        raise CameraError(f"{path} cannot be opened: {error.strerror or error}.") from error
    if stat.S_ISCHR(mode):
        return _device(path)
    if stat.S_ISDIR(mode):
        return ImagesAddress(path.absolute())
    if not stat.S_ISREG(mode):
        raise CameraError(f"{path} is {_what_it_is(mode)}, which cannot be opened as a video.")
    return _parse_file(path.absolute())


def _missing(path: Path) -> str:
    if not path.suffix and os.sep not in str(path):
        return f"“{path}” is neither a file nor any other source. Give one of: {FORMS}."
    return f"There is no file {path}."


def _parse_file(path: Path) -> Address:
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


def _device(path: Path) -> DeviceAddress:
    """A device node, checked; a link below /dev/v4l becomes the id it names."""
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
