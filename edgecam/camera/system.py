"""Cameras of Windows and macOS, by number, through OpenCV."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Final

import cv2
import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.ffmpeg import pixel_format
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.opencv_log import silence_opencv
from edgecam.errors import CameraError, CameraLost
from edgecam.frames import Frame

_MAX_CAMERAS: Final = 8
_BACKENDS: Final = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_DEFAULT: Final = CameraMode(1280, 720, 30.0)


class SystemCamera(Camera):
    """The camera with the number `index`. OpenCV gives no time stamps, frame numbers or list of modes here."""

    def __init__(self, index: int, *, wanted: CameraMode | None = None) -> None:
        super().__init__()
        self.name = f"Camera {index}"
        self.address = self.device = f"camera:{index}"
        self.wanted = wanted
        self._index = index
        self._capture: cv2.VideoCapture | None = None
        self._mode: CameraMode | None = None
        self._next_id = 0

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        silence_opencv()
        capture = self._capture = cv2.VideoCapture(self._index, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            self._release()
            raise CameraError(
                f"{self.name} cannot be opened: it is not connected, used by another program, or blocked in the "
                "privacy settings."
            )
        mode = self.wanted or _DEFAULT
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.height)
        if mode.fps:
            capture.set(cv2.CAP_PROP_FPS, mode.fps)
        self._mode = CameraMode(
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            capture.get(cv2.CAP_PROP_FPS) or None,
            pixel_format(capture),
        )
        self._next_id = 0

    def read(self, timeout_ms: int = 1000) -> Frame:
        if self._capture is None:
            raise CameraError(f"{self.name} is not open.")
        self._check_cancelled()
        arrived, image = self._capture.read()
        if not arrived:
            raise CameraLost(f"{self.name} sends no pictures any more.")
        frame = Frame(np.asarray(image, np.uint8), self._next_id, time.monotonic())
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._release()
        self._cancelled.clear()

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    @property
    def mode(self) -> CameraMode | None:
        return self._mode


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
    names = []
    for index in range(_MAX_CAMERAS):
        capture = cv2.VideoCapture(index, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        opened = capture.isOpened()
        capture.release()
        if not opened:
            break
        names.append(f"Camera {index}")
    return names
