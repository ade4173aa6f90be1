"""Cameras through picamera2, which a stand-in plays."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.camera import picamera
from edgecam.camera.base import CameraMode
from edgecam.camera.controls import Control, ControlKind
from edgecam.camera.info import CameraKind
from edgecam.camera.picamera2_camera import Picamera2Camera
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout
from tests.camera.fake_picamera2 import FakePicamera2, install

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePicamera2]]:
    yield from install(monkeypatch)


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
