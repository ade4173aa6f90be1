"""A stand-in for picamera2, which exists only on a Raspberry Pi: the part of its interface that is used."""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class Request:
    def __init__(self, image: np.ndarray, stamp_ns: int) -> None:
        self._image, self._stamp_ns = image, stamp_ns
        self.released = False
        FakePicamera2.held.append(self)

    def make_array(self, stream: str) -> np.ndarray:
        assert stream == "main"
        return self._image

    def get_metadata(self) -> dict[str, float]:
        return {"SensorTimestamp": self._stamp_ns, "ExposureTime": 12_345, "AnalogueGain": 2.5}

    def release(self) -> None:
        self.released = True


class FakePicamera2:
    """Delivers pictures of one colour every 10 ms while started, each 30 ms after its sensor took it."""

    held: ClassVar[list[Request]] = []
    behaviour: ClassVar[str] = "good"
    open_cameras: ClassVar[int] = 0

    sensor_modes: ClassVar[list[dict[str, Any]]] = [
        {"size": (1536, 864), "fps": 120.13},
        {"size": (2304, 1296), "fps": 56.03},
        {"format": "YUYV"},  # as of a sensor that picamera2 does not know as a raw one
    ]

    # As a Camera Module 3 tells them.
    camera_controls: ClassVar[dict[str, tuple[Any, Any, Any]]] = {
        "AeEnable": (False, True, None),
        "ExposureTime": (26, 220_417_486, 20_000),
        "AnalogueGain": (1.1228070259094238, 16.0, None),
        "ExposureValue": (-8.0, 8.0, 0.0),
        "AwbEnable": (False, True, None),
        "AwbMode": (0, 7, 0),
        "AfMode": (0, 2, 0),
        "LensPosition": (0.0, 32.0, 1.0),
        "AeFlickerMode": (0, 1, 0),
        "AeFlickerPeriod": (100, 1_000_000, None),
        "Brightness": (-1.0, 1.0, 0.0),
        "Contrast": (0.0, 32.0, 1.0),
        "Saturation": (0.0, 32.0, 1.0),
        "ScalerCrop": ((0, 0, 64, 64), (0, 0, 4608, 2592), (0, 0, 4608, 2592)),
    }
    controls_set: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, index: int) -> None:
        try:
            self._acquire(index)
        except (IndexError, RuntimeError):
            raise RuntimeError("Camera __init__ sequence did not complete.")  # noqa: B904 (as picamera2 does)
        type(self).open_cameras += 1
        self._size = (0, 0)
        self._started = False
        self._cancelled = False

    def _acquire(self, index: int) -> None:
        if index > 0:
            raise IndexError("list index out of range")
        if self.behaviour == "busy":
            raise RuntimeError("Failed to acquire camera: Device or resource busy")

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [
            {"Model": "imx708", "Location": 2, "Rotation": 180, "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0},
            {"Model": "C920", "Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:082d", "Num": 1},
        ]

    def create_video_configuration(self, main: dict[str, Any], controls: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert main["format"] == "RGB888"
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        self._size = configuration["main"]["size"]

    def set_controls(self, controls: dict[str, Any]) -> None:
        unknown = controls.keys() - self.camera_controls.keys()
        if unknown:
            raise RuntimeError(f"Control {unknown.pop()} is not advertised by libcamera")
        self.controls_set.append(controls)

    def camera_configuration(self) -> dict[str, Any]:
        return {"main": {"size": self._size}}

    def start(self) -> None:
        if self.behaviour == "start fails":
            raise RuntimeError("Failed to start camera")
        self._started = True
        self._delay_s = 0.03

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        type(self).open_cameras -= 1

    def capture_request(self, wait: bool) -> object:
        assert wait is False
        return object()

    def wait(self, _job: object, timeout: float) -> Request:
        if self.behaviour == "stall":
            time.sleep(timeout)
            raise TimeoutError
        if self.behaviour == "lost":
            raise RuntimeError("Camera frontend has timed out")
        time.sleep(0.01 + self._delay_s)  # the first was not taken before the camera was started
        self._delay_s = 0.0
        image = np.zeros((self._size[1], self._size[0] + 8, 3), np.uint8)[:, : self._size[0]]  # padded rows
        image[:] = (10, 20, 200)
        stamp = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 0.03) * 1e9)
        return Request(image, stamp)

    def cancel_all_and_flush(self) -> None:
        self._cancelled = True


def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePicamera2]]:
    """The module, as long as the test runs; asserts that every camera was closed and every request given back."""
    module = ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    FakePicamera2.behaviour, FakePicamera2.open_cameras = "good", 0
    FakePicamera2.held.clear()
    FakePicamera2.controls_set.clear()
    yield FakePicamera2
    assert FakePicamera2.open_cameras == 0
    assert all(request.released for request in FakePicamera2.held)
