"""Cameras of Windows and macOS, by number, through OpenCV."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Final

import cv2
import numpy as np

from edgecam.camera.base import CameraMode
from edgecam.camera.ffmpeg import pixel_format
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.opencv_log import silence_opencv
from edgecam.camera.reader_camera import ReaderCamera
from edgecam.camera.stream_reader import Arrival, StreamReader
from edgecam.errors import CameraError, CameraLost

_MAX_CAMERAS: Final = 8
_BACKENDS: Final = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_DEFAULT: Final = CameraMode(1280, 720, 30.0)


class SystemCamera(ReaderCamera):
    """The camera with the number `index`. OpenCV gives no time stamps, frame numbers or list of modes here.

    Args:
        index: counts from 0, in OpenCV's order.
        wanted: size and rate to ask for; None for 1280 × 720 at 30 frames per second.
    """

    def __init__(self, index: int, *, wanted: CameraMode | None = None) -> None:
        super().__init__()
        self.name = f"Camera {index}"
        self.address = self.device = f"camera:{index}"
        self.wanted = wanted
        self._index = index

    def new_reader(self) -> StreamReader:
        return _CaptureReader(self.name, self._index, self.wanted or _DEFAULT)


class _CaptureReader(StreamReader):
    """Reads in a thread of its own, because OpenCV can neither be told a time limit nor be interrupted."""

    def __init__(self, name: str, index: int, mode: CameraMode) -> None:
        super().__init__(name)
        self._index, self._wanted = index, mode

    def work(self) -> None:
        silence_opencv()
        capture = cv2.VideoCapture(self._index, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        try:
            if not capture.isOpened():
                raise CameraError(
                    f"{self.stream_name} cannot be opened: it is not connected, used by another program, or blocked in "
                    "the privacy settings."
                )
            self._set(capture)
            while not self.stopped.is_set():
                arrived, image = capture.read()
                if not arrived:
                    raise CameraLost(f"{self.stream_name} sends no pictures any more.")
                self.publish(Arrival(np.asarray(image, np.uint8), time.monotonic()))
        finally:
            capture.release()

    def _set(self, capture: cv2.VideoCapture) -> None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._wanted.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._wanted.height)
        if self._wanted.fps:
            capture.set(cv2.CAP_PROP_FPS, self._wanted.fps)
        self.fps, self.codec = capture.get(cv2.CAP_PROP_FPS) or None, pixel_format(capture)

    def cut(self) -> None:
        """Nothing can: a driver that hangs keeps its thread."""


def system_cameras() -> list[CameraInfo]:
    """The cameras of this machine in OpenCV's order, with their names where the system tells them."""
    names = _macos_names() if sys.platform == "darwin" else _probed_names()
    return [CameraInfo(name, f"camera:{at}", "", "", CameraKind.SYSTEM) for at, name in enumerate(names)]


def _macos_names() -> list[str]:
    command = ["system_profiler", "-json", "SPCameraDataType"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
        return [str(camera["_name"]) for camera in json.loads(answer)["SPCameraDataType"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return _probed_names()


def _probed_names() -> list[str]:
    """Numbers that can be opened; a camera in use counts, too, but cannot be told from none."""
    silence_opencv()
    names = []
    for index in range(_MAX_CAMERAS):
        capture = cv2.VideoCapture(index, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        opened = capture.isOpened()
        capture.release()
        if not opened:
            break
        names.append(f"Camera {index}")
    return names
