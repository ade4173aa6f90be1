"""OpenCV's FFmpeg reader, opened quietly: what goes wrong is told by edgecam, once, not by libraries on stderr."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

import cv2

from edgecam.camera.opencv_log import silence_opencv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# The options travel in an environment variable. OpenCV itself opens one source at a time, too, so that whoever opens a
# stream first makes sure that its server answers.
_open_lock: Final = threading.Lock()


def open_capture(
    source: str, *, options: Mapping[str, str] | None = None, parameters: Sequence[int] = ()
) -> cv2.VideoCapture:
    """Opens `source` (a path or URL) with FFmpeg; ask `isOpened()` whether it worked.

    Args:
        source: absolute path, or URL.
        options: FFmpeg's own, by name.
        parameters: pairs of OpenCV's CAP_PROP_… and value.
    """
    with _open_lock:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        silence_opencv()
        before = os.environ.get(_OPTIONS)
        if options:
            os.environ[_OPTIONS] = "|".join(f"{name};{value}" for name, value in options.items())
        try:
            return cv2.VideoCapture(source, cv2.CAP_FFMPEG, list(parameters))
        finally:
            if before is not None:
                os.environ[_OPTIONS] = before
            elif options:
                del os.environ[_OPTIONS]


def pixel_format(capture: cv2.VideoCapture) -> str:
    """The codec's four letters, "" where unknown."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    text = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
    return text.strip("\0 ") if text.isascii() and text.strip("\0 ").isprintable() else ""
