"""Cameras by number, as on Windows and macOS, behind a stand-in for OpenCV's reader."""

from __future__ import annotations

import time

import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.info import CameraKind
from edgecam.camera.system import SystemCamera, system_cameras
from edgecam.errors import CameraError, CameraLost, CameraTimeout
from tests.camera.fake_capture import Capture, install
from tests.camera.reading import read_until


@pytest.fixture(autouse=True)
def capture(monkeypatch: pytest.MonkeyPatch) -> type[Capture]:
    return install(monkeypatch)


def test_frames(capture: type[Capture]) -> None:
    with SystemCamera(1, wanted=CameraMode(1920, 720, 30.0)) as camera:
        assert camera.read().frame_id == 0
        assert camera.read().frame_id == 1
        assert camera.mode == CameraMode(1280, 720, 30.0, "")
    assert capture.released == 1


def test_no_such_camera(capture: type[Capture]) -> None:
    with pytest.raises(CameraError, match="Camera 5 cannot be opened"):
        SystemCamera(5).open()
    assert capture.released == 1


def test_a_lost_camera(capture: type[Capture]) -> None:
    with SystemCamera(0) as camera:
        camera.read()
        capture.broken = True
        _frames, said = read_until(camera, CameraLost)
        assert "Camera 0 sends no pictures any more" in said
    capture.broken = False
    with camera:
        assert camera.read().frame_id == 0


def test_a_driver_that_hangs_holds_up_nobody(capture: type[Capture]) -> None:
    camera = SystemCamera(0)
    camera.open()
    capture.hung = True
    read_until(camera, CameraTimeout, timeout_ms=200)
    started = time.monotonic()
    camera.close()
    assert time.monotonic() - started < 1.5
    capture.hung = False


def test_the_list() -> None:
    assert [(info.name, info.address, info.kind) for info in system_cameras()] == [
        ("Camera 0", "camera:0", CameraKind.SYSTEM),
        ("Camera 1", "camera:1", CameraKind.SYSTEM),
    ]
