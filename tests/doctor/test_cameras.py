"""Each problem with cameras, provoked."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.v4l2_faults import holders
from edgecam.doctor.cameras import board_model, check_cameras, check_pi_cameras
from edgecam.doctor.finding import Verdict
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from pathlib import Path

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


def camera(device: str = "/dev/video0", unusable: str = "") -> CameraInfo:
    return CameraInfo("HD Pro Webcam C920", device, device, "USB 1-1.4", CameraKind.USB, unusable)


def test_a_camera_that_is_fine() -> None:
    (finding,) = check_cameras(lambda: [camera()], lambda _: [])
    assert finding.verdict is OK
    assert "HD Pro Webcam C920" in finding.text


def test_no_camera() -> None:
    (finding,) = check_cameras(list, lambda _: [])
    assert finding.verdict is WARNING
    assert "lsusb" in finding.remedy


def test_no_permission_says_which_group() -> None:
    unusable = (
        "No permission: your user is not in the group “video”. Run: sudo usermod -aG video me — then log in again."
    )
    (finding,) = check_cameras(lambda: [camera(unusable=unusable)], lambda _: [])
    assert finding.verdict is PROBLEM
    assert "usermod -aG video" in finding.remedy


def test_a_busy_camera_says_who_holds_it() -> None:
    (finding,) = check_cameras(lambda: [camera()], lambda _: [(4711, "cheese")])
    assert finding.verdict is WARNING
    assert "cheese (process 4711)" in finding.text
    assert "kill 4711" in finding.remedy


def test_edgecam_itself_does_not_count_as_holder() -> None:
    (finding,) = check_cameras(lambda: [camera()], lambda _: [(os.getpid(), "edgecam")])
    assert finding.verdict is OK


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_really_holds_the_device(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    code = f"import time; f = open({str(device)!r}); print('open', flush=True); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            (finding,) = check_cameras(lambda: [camera(str(device))], holders)
        finally:
            other.kill()
    assert finding.verdict is WARNING
    assert f"process {other.pid}" in finding.text


def test_a_driver_that_fails() -> None:
    def fail() -> list[CameraInfo]:
        raise CameraError("the driver hangs")

    (finding,) = check_cameras(fail)
    assert finding.verdict is PROBLEM
    assert "the driver hangs" in finding.text


def test_the_camera_stack_of_a_raspberry_pi() -> None:
    pi = "Raspberry Pi 5 Model B Rev 1.0"
    assert check_pi_cameras("") is None
    with_picamera2 = check_pi_cameras(pi, lambda _: None, lambda _: True)
    with_program = check_pi_cameras(pi, lambda name: f"/usr/bin/{name}", lambda _: False)
    with_neither = check_pi_cameras(pi, lambda _: None, lambda _: False)
    assert with_picamera2 is not None
    assert with_picamera2.verdict is OK
    assert with_program is not None
    assert (with_program.verdict, "rpicam-vid" in with_program.text) == (OK, True)
    assert with_neither is not None
    assert (with_neither.verdict, with_neither.remedy) == (PROBLEM, "sudo apt install rpicam-apps-lite")


def test_the_board_is_asked(tmp_path: Path) -> None:
    assert board_model(tmp_path) == ""
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert board_model(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"
