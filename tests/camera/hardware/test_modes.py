"""A V4L2 camera's modes: against what v4l2-ctl lists, and as the driver really delivers them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.pixel_formats import READABLE
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_device import V4l2Device
from tests.camera.hardware.conftest import PATIENCE_MS, SMALL, v4l2_ctl

if TYPE_CHECKING:
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


def test_every_mode_that_v4l2_ctl_lists(node: V4l2Node) -> None:
    device = V4l2Device(node.path)
    modes = {(mode.pixel_format, mode.width, mode.height, mode.fps) for mode in device.modes()}
    formats = device.pixel_formats()
    device.close()
    expected: set[tuple[str, int, int, float]] = set()
    pixel_format, size = "", (0, 0)
    for line in v4l2_ctl("-d", node.path, "--list-formats-ext").splitlines():
        if match := re.search(r"\[\d+\]: '(.{4}(?:-BE)?)'", line):
            pixel_format = match[1].replace(" ", "")
        elif match := re.search(r"Size: Discrete (\d+)x(\d+)", line):
            size = int(match[1]), int(match[2])
        elif match := re.search(r"\(([\d.]+) fps\)", line):
            expected.add((pixel_format, *size, float(match[1])))
    assert len(expected) > 500
    assert {(name, width, height, round(fps or 0, 3)) for name, width, height, fps in modes} == expected
    assert {name for name, _text in formats} == {mode[0] for mode in expected}


def test_the_default_mode(camera: V4l2Camera) -> None:
    camera.open()
    mode = camera.mode
    assert mode is not None
    assert mode.fps is not None
    assert mode.fps >= 25
    assert mode.width * mode.height <= 1280 * 720
    assert mode in {CameraMode(m.width, m.height, m.fps, m.pixel_format) for m in camera.modes}


def test_every_readable_format_shows_the_same_picture(node: V4l2Node) -> None:
    """The driver's colour bars in each format, against plain BGR."""
    camera = V4l2Camera(node.path)
    camera.open()
    names = sorted({mode.pixel_format for mode in camera.modes})
    camera.set_control("osd_text_mode", 2)  # no text over the bars
    camera.close()
    assert len(names) > 25
    settings = {"osd_text_mode": 2}
    pictures = {}
    for name in names:
        camera = V4l2Camera(node.path, wanted=CameraMode(*SMALL, 15.0, name), settings=settings)
        with camera:
            assert camera.notice == ""
            assert camera.mode is not None
            assert camera.mode.pixel_format == name
            pictures[name] = camera.read(PATIENCE_MS).image.astype(int)
    reference = pictures["BGR3"]
    assert reference.std() > 50
    luma = reference @ np.array([0.114, 0.587, 0.299])
    for name, picture in pictures.items():
        if name in ("GREY", "Y10", "Y12", "Y16", "Y16-BE"):
            difference = np.abs(picture[..., 0] - luma)
        else:
            difference = np.abs(picture - reference).max(axis=2)
        # Interpolated colour is wrong beside an edge; whole bars are not.
        assert np.median(difference) < 24, name
        assert np.percentile(difference, 80) < 40, name
    for name in names:
        assert name in READABLE


def test_a_chosen_mode(node: V4l2Node) -> None:
    wanted = CameraMode(640, 360, 30.0, "UYVY")
    with V4l2Camera(node.path, wanted=wanted) as camera:
        assert camera.mode == wanted
        assert camera.read(PATIENCE_MS).size_wh == (640, 360)


@pytest.mark.parametrize(
    "wanted",
    [
        CameraMode(0, 0, 30.0, "YUYV"),
        CameraMode(16384, 16384, 30.0, "YUYV"),
        CameraMode(641, 361, 30.0, "YUYV"),
        CameraMode(640, 360, 30.0, "MJPG"),
    ],
)
def test_a_stored_mode_that_does_not_exist(node: V4l2Node, wanted: CameraMode) -> None:
    with V4l2Camera(node.path, wanted=wanted) as camera:
        assert "no longer offers" in camera.notice
        camera.read(PATIENCE_MS)


def test_a_stored_rate_that_does_not_exist_gives_the_nearest(node: V4l2Node) -> None:
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 47.0, "YUYV")) as camera:
        assert camera.mode is not None
        assert camera.mode.fps == 50


def test_sixty_frames_per_second(node: V4l2Node) -> None:
    begin = {"timestamp_source": 1}  # this driver's other stamp is yet to come when the frame is read
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 60.0, "YUYV"), settings=begin) as camera:
        assert camera.mode is not None
        assert camera.mode.fps == pytest.approx(60, abs=0.1)
        first = camera.read(PATIENCE_MS)
        before = camera.dropped  # what was lost while streaming began
        last = [camera.read(PATIENCE_MS) for _ in range(30)][-1]
        lost = camera.dropped - before
    assert (last.captured_at - first.captured_at) * 60 == pytest.approx(30 + lost, abs=3)
