"""picamera2, which exists only on a Raspberry Pi: a stand-in module with the part of its interface that is used."""

from __future__ import annotations

import sys
import threading
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from edgecam.camera import picamera
from edgecam.camera.base import CameraMode
from edgecam.camera.controls import Control, ControlKind
from edgecam.camera.info import CameraKind
from edgecam.camera.picamera2_camera import Picamera2Camera
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """Delivers pictures of one colour every 10 ms while started."""

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
        time.sleep(0.01)
        image = np.zeros((self._size[1], self._size[0] + 8, 3), np.uint8)[:, : self._size[0]]  # padded rows
        image[:] = (10, 20, 200)
        stamp = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 0.03) * 1e9)
        return Request(image, stamp)

    def cancel_all_and_flush(self) -> None:
        self._cancelled = True


@pytest.fixture(autouse=True)
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePicamera2]]:
    module = ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    FakePicamera2.behaviour, FakePicamera2.open_cameras = "good", 0
    FakePicamera2.held.clear()
    FakePicamera2.controls_set.clear()
    yield FakePicamera2
    assert FakePicamera2.open_cameras == 0
    assert all(request.released for request in FakePicamera2.held)


def test_frames_have_the_sensors_time_and_memory_of_their_own() -> None:
    with Picamera2Camera(0) as camera:
        frames = [camera.read() for _ in range(5)]
        now = time.monotonic()
    assert [frame.frame_id for frame in frames] == list(range(5))
    assert frames[0].size_wh == (1280, 720)
    assert frames[0].image[0, 0].tolist() == [10, 20, 200]  # blue, green, red
    assert frames[0].image.flags.c_contiguous
    assert 0.03 <= now - frames[-1].captured_at < 1


def test_modes_are_what_the_sensor_can_do() -> None:
    wanted = CameraMode(1920, 1080, 30.0, "RGB888")
    with Picamera2Camera(0, wanted=wanted) as camera:
        assert camera.mode == wanted
        assert CameraMode(1280, 720, 60.0, "RGB888") in camera.modes
        assert CameraMode(1920, 1080, 60.0, "RGB888") not in camera.modes
    with Picamera2Camera(0, wanted=CameraMode(9000, 9000, 30.0, "RGB888")) as camera:
        assert "no longer offers" in camera.notice
        camera.read()


@pytest.mark.parametrize(
    ("behaviour", "error", "said"),
    [("busy", CameraBusy, "in use"), ("start fails", CameraError, "cannot be opened: Failed to start camera")],
)
def test_a_failed_opening_is_cleaned_up_and_the_next_works(
    picamera2: type[FakePicamera2], behaviour: str, error: type[CameraError], said: str
) -> None:
    camera = Picamera2Camera(0)
    picamera2.behaviour = behaviour
    with pytest.raises(error, match=said):
        camera.open()
    assert picamera2.open_cameras == 0
    picamera2.behaviour = "good"
    camera.open()
    camera.read()
    camera.close()


def test_no_such_camera() -> None:
    with pytest.raises(CameraError, match="finds no such camera"):
        Picamera2Camera(1).open()


def test_a_picamera2_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its compiled parts belong to the system's Python and NumPy."""

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "picamera2":
                raise ValueError("numpy.dtype size changed")

    monkeypatch.delitem(sys.modules, "picamera2")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(CameraError, match=r"cannot be loaded \(numpy\.dtype size changed\).*apt install"):
        Picamera2Camera(0).open()


def test_it_lists_cameras_where_rpicam_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picamera, "has_media_devices", lambda: True)
    monkeypatch.setattr(picamera, "has_picamera2", lambda: True)
    monkeypatch.setattr(picamera, "find_program", lambda: None)
    (info,) = picamera.pi_cameras()
    assert (info.name, info.address, info.kind) == ("Raspberry Pi camera (imx708)", "picamera:0", CameraKind.PI)
    assert info.bus == "/base/soc/i2c0mux/i2c@1/imx708@1a"
    monkeypatch.setattr(picamera, "has_media_devices", lambda: False)
    assert picamera.pi_cameras() == []


def test_a_stall_times_out(picamera2: type[FakePicamera2]) -> None:
    with Picamera2Camera(0) as camera:
        picamera2.behaviour = "stall"
        started = time.monotonic()
        with pytest.raises(CameraTimeout):
            camera.read(300)
        assert time.monotonic() - started == pytest.approx(0.3, abs=0.15)
        picamera2.behaviour = "good"
        camera.read()


def test_a_lost_camera(picamera2: type[FakePicamera2]) -> None:
    with Picamera2Camera(0) as camera:
        camera.read()
        picamera2.behaviour = "lost"
        with pytest.raises(CameraLost, match="timed out"):
            camera.read()


def test_cancelling_a_waiting_reader(picamera2: type[FakePicamera2]) -> None:
    with Picamera2Camera(0) as camera:
        picamera2.behaviour = "stall"
        caught: list[CameraError] = []

        def work() -> None:
            try:
                camera.read(20_000)
            except CameraError as error:
                caught.append(error)

        thread = threading.Thread(target=work, name="reads")
        thread.start()
        time.sleep(0.2)
        camera.cancel()
        thread.join(1)
        assert not thread.is_alive()
        assert not isinstance(caught[0], CameraTimeout)


def test_pausing() -> None:
    with Picamera2Camera(0) as camera:
        camera.read()
        camera.pause()
        camera.resume()
        assert camera.read().frame_id == 1


class TestControls:
    def controls(self, camera: Picamera2Camera) -> dict[str, Control]:
        return {control.key: control for control in camera.controls()}

    def test_are_those_of_the_camera_in_whole_numbers(self) -> None:
        with Picamera2Camera(0) as camera:
            camera.read()
            found = self.controls(camera)
        assert list(found) == [
            "automatic_exposure", "exposure_time", "gain", "exposure_value", "automatic_white_balance",
            "white_balance", "focus_mode", "lens_position", "power_line_frequency", "brightness", "contrast",
            "saturation",
        ]  # fmt: skip
        assert found["automatic_exposure"].kind is ControlKind.BOOLEAN
        exposure = found["exposure_time"]
        assert (exposure.minimum, exposure.maximum, exposure.value, exposure.active) == (26, 33_333, 12_345, False)
        assert (found["gain"].minimum, found["gain"].maximum, found["gain"].value) == (112, 1600, 250)
        assert (found["brightness"].minimum, found["brightness"].value, found["brightness"].maximum) == (-100, 0, 100)
        assert found["white_balance"].choices[5] == (5, "Daylight")
        assert [text for _value, text in found["power_line_frequency"].choices] == ["Off", "50 Hz", "60 Hz"]
        assert camera.controls() == []  # closed

    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("gain", 400, {"AnalogueGain": 4.0}),
            ("automatic_exposure", 0, {"AeEnable": False}),
            ("exposure_time", 5000, {"ExposureTime": 5000}),
            ("white_balance", 5, {"AwbMode": 5}),
            ("lens_position", 250, {"LensPosition": 2.5}),
            ("power_line_frequency", 0, {"AeFlickerMode": 0}),
            ("power_line_frequency", 1, {"AeFlickerMode": 1, "AeFlickerPeriod": 10_000}),
            ("power_line_frequency", 2, {"AeFlickerMode": 1, "AeFlickerPeriod": 8_333}),
        ],
    )
    def test_are_set_and_set_again_at_the_next_opening(
        self, key: str, value: int, said: dict[str, Any], picamera2: type[FakePicamera2]
    ) -> None:
        camera = Picamera2Camera(0)
        camera.open()
        camera.set_control(key, value)
        assert picamera2.controls_set == [said]
        assert self.controls(camera)[key].value == value
        camera.close()
        camera.open()
        assert picamera2.controls_set == [said, said]
        camera.close()

    def test_one_rules_over_another(self) -> None:
        with Picamera2Camera(0) as camera:
            assert not self.controls(camera)["gain"].active
            assert self.controls(camera)["exposure_value"].active
            assert self.controls(camera)["lens_position"].active
            for key, value in (("automatic_exposure", 0), ("automatic_white_balance", 0), ("focus_mode", 2)):
                camera.set_control(key, value)
            assert self.controls(camera)["gain"].active
            assert not any(
                self.controls(camera)[key].active for key in ("exposure_value", "white_balance", "lens_position")
            )

    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("sharpness", 100, "has no control “sharpness”"),
            ("zoom", 1, "has no control “zoom”"),
            ("gain", 5000, "refuses 5000 for “gain”: it goes from 112 to 1600"),
            ("white_balance", 7, "refuses 7 for “white_balance”: there is no such choice"),
        ],
    )
    def test_wrong_ones_are_refused(
        self, key: str, value: int, said: str, picamera2: type[FakePicamera2], caplog: pytest.LogCaptureFixture
    ) -> None:
        with Picamera2Camera(0) as camera, pytest.raises(CameraError, match=said):
            camera.set_control(key, value)
        with pytest.raises(CameraError, match="is not open"):
            camera.set_control("gain", 200)
        # Remembered ones that the camera lacks are passed over.
        with Picamera2Camera(0, settings={key: value, "gain": 200}) as camera:
            camera.read()
        assert picamera2.controls_set == [{"AnalogueGain": 2.0}]
