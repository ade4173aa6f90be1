"""The Raspberry Pi camera through `rpicam-vid`, with a stand-in that also stalls, dies and complains."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import pytest

from edgecam.camera import picamera
from edgecam.camera.base import CameraMode
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.opening import camera_for
from edgecam.camera.pipe_reader import PipeReader
from edgecam.camera.rpicam import RpicamCamera
from edgecam.camera.rpicam_listing import list_facts, parse_listing, sensor_modes
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout
from tests.camera.fake_rpicam import LISTING, FakeRpicam, install
from tests.camera.reading import cancelled_opening, read_until

if TYPE_CHECKING:
    from pathlib import Path

SMALL = CameraMode(640, 480, 30.0, "YU12")


@pytest.fixture
def fake(tmp_path: Path) -> FakeRpicam:
    return install(tmp_path)


@pytest.fixture
def camera(fake: FakeRpicam) -> RpicamCamera:
    return RpicamCamera(0, str(fake.program), wanted=SMALL)


def children() -> list[str]:
    return [pid for pid in os.listdir("/proc") if pid.isdecimal() and parent_of(pid) == os.getpid()]


def parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return -1


def test_frames_have_the_right_colour_and_the_documented_command(camera: RpicamCamera, fake: FakeRpicam) -> None:
    with camera:
        frame = camera.read()
        assert frame.size_wh == (640, 480)
        # Grey, of a luma that counts up from 50, in full range.
        assert frame.image.std() < 1
        assert 50 <= frame.image.mean() < 80
        assert abs(frame.image.mean() - round(frame.image.mean())) < 0.01
        assert camera.mode == SMALL
    command = fake.calls[-1]
    for option in ("--camera 0", "--codec yuv420", "--width 640", "--height 480", "--framerate 30", "--flush",
                   "--output -", "--timeout 0", "--nopreview"):  # fmt: skip
        assert option in command


def test_the_modes_are_those_that_the_sensor_can_do(fake: FakeRpicam) -> None:
    camera = RpicamCamera(1, str(fake.program), wanted=CameraMode(1920, 1080, 60.0, "YU12"))
    with camera:
        assert "no longer offers" in camera.notice
        assert (camera.mode.width, camera.mode.height) == (1280, 720) if camera.mode else False
    assert CameraMode(1920, 1080, 30.0, "YU12") in camera.modes
    assert CameraMode(1920, 1080, 60.0, "YU12") not in camera.modes
    assert SMALL in camera.modes


def test_a_listing_is_read() -> None:
    first, second = parse_listing(LISTING)  # the USB camera belongs to V4L2
    assert (first.index, first.sensor, first.path) == (0, "imx708", "/base/soc/i2c0mux/i2c@1/imx708@1a")
    assert first.modes == ((1536, 864, 120.13), (2304, 1296, 56.03), (4608, 2592, 14.35))
    assert (second.index, second.sensor, len(second.modes)) == (1, "ov5647", 4)


@pytest.mark.parametrize("text", ["", "No cameras available!\n", "ERROR: something else\n"])
def test_a_listing_without_cameras(text: str) -> None:
    assert parse_listing(text) == []


def test_a_listing_that_fails_is_tried_again(fake: FakeRpicam, caplog: pytest.LogCaptureFixture) -> None:
    program, away = fake.program, fake.program.with_suffix(".away")
    program.rename(away)
    assert list_facts(str(program)) == []
    assert "could not be listed" in caplog.text
    away.rename(program)
    assert len(list_facts(str(program))) == 2


def test_a_stall_times_out_and_the_child_still_ends(camera: RpicamCamera, fake: FakeRpicam) -> None:
    with camera:
        camera.read()
        fake.behave("stall")
        read_until(camera, CameraTimeout, timeout_ms=300)
        fake.behave("good")
        camera.read(2000)
    assert not children()


def test_a_child_that_dies_is_noticed_at_once_and_quoted(camera: RpicamCamera, fake: FakeRpicam) -> None:
    camera.open()
    camera.read()
    fake.behave("die")
    started = time.monotonic()
    _frames, said = read_until(camera, CameraLost)
    assert "exit code 255" in said
    assert "failed to queue request" in said
    assert time.monotonic() - started < 1.5
    camera.close()
    fake.behave("good")
    camera.open()
    assert camera.read().frame_id == 0
    camera.close()


def test_half_a_frame_is_never_shown(camera: RpicamCamera, fake: FakeRpicam) -> None:
    camera.open()
    fake.behave("half-frame")
    frames, _said = read_until(camera, CameraLost)
    camera.close()
    assert all(frame.image.std() < 1 for frame in frames)


def test_no_camera(camera: RpicamCamera, fake: FakeRpicam) -> None:
    fake.behave("no-camera")
    with pytest.raises(CameraError, match="finds no such camera"):
        camera.open()
    assert not children()


def test_a_number_that_no_camera_has(fake: FakeRpicam) -> None:
    with pytest.raises(CameraError, match="Raspberry Pi camera 2 is not connected"):
        RpicamCamera(2, str(fake.program)).open()


def test_a_camera_that_rpicam_restarts_goes_on(camera: RpicamCamera, fake: FakeRpicam) -> None:
    with camera:
        camera.read()
        fake.behave("restart")
        read_until(camera, CameraTimeout, timeout_ms=300)
        assert camera.read(2000).size_wh == (640, 480)
    assert len([call for call in fake.calls if "--output" in call]) == 1


def test_a_camera_in_use(camera: RpicamCamera, fake: FakeRpicam) -> None:
    fake.behave("busy")
    with pytest.raises(CameraBusy, match="in use by another program"):
        camera.open()


def test_what_a_dying_child_says_is_read_to_its_end(camera: RpicamCamera, fake: FakeRpicam) -> None:
    """Also where its words are read more slowly than it dies: they tell why."""

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            time.sleep(0.05)

    reader_log, slow = logging.getLogger(PipeReader.__module__), Slow()
    level = reader_log.level
    reader_log.setLevel(logging.DEBUG)
    reader_log.addHandler(slow)
    fake.behave("busy")
    try:
        with pytest.raises(CameraBusy, match="in use by another program"):
            camera.open()
    finally:
        reader_log.removeHandler(slow)
        reader_log.setLevel(level)


def test_a_child_that_will_not_end_is_killed(camera: RpicamCamera, fake: FakeRpicam) -> None:
    fake.behave("stubborn")
    camera.open()
    camera.read()
    started = time.monotonic()
    camera.close()
    assert time.monotonic() - started < 1.2
    assert not children()


def test_a_camera_that_never_sends(camera: RpicamCamera, fake: FakeRpicam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.camera.reader_camera.OPEN_TIMEOUT_S", 0.5)
    fake.behave("stall")
    with pytest.raises(CameraError, match=r"sent no picture within 0\.5 s"):
        camera.open()
    assert not children()


def test_opening_is_cancelled_also_while_libcamera_is_asked(camera: RpicamCamera, fake: FakeRpicam) -> None:
    fake.behave("slow")
    error, took_s = cancelled_opening(camera)
    assert "was cancelled" in str(error)
    assert took_s < 1.5
    deadline = time.monotonic() + 5
    while children():  # the question is let go on, and no camera is started after it
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not [call for call in fake.calls if "--output" in call]


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="cannot be started"):
        RpicamCamera(0, str(tmp_path / "rpicam-vid")).open()


def test_the_child_of_a_frozen_program_gets_the_systems_libraries(
    camera: RpicamCamera, fake: FakeRpicam, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = str(tmp_path / "own")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "frozen"))
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", own)
    monkeypatch.setattr("sys.frozen", True, raising=False)
    with camera:
        camera.read()
    assert fake.library_path == own


def test_the_address_picamera(fake: FakeRpicam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picamera, "has_picamera2", lambda: False)
    monkeypatch.setenv("PATH", str(fake.folder))
    camera = camera_for("picamera:1")
    assert isinstance(camera, RpicamCamera)
    assert (camera.address, camera.device) == ("picamera:1", "picamera:1")
    info = CameraInfo("", "picamera:1", "", "", CameraKind.PI)
    assert len(sensor_modes(info)) == 4
    assert len(list_facts(str(fake.program))) == 2
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CameraError, match="sudo apt install rpicam-apps"):
        camera_for("picamera")
