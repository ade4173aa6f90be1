"""A driver that takes any size between limits: an HDMI grabber, which the kernel's virtual driver plays, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.modes import STANDARD_SIZES_WH
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_device import V4l2Device
from tests.camera.hardware.conftest import PATIENCE_MS, v4l2_ctl

if TYPE_CHECKING:
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


@pytest.fixture
def limits(node: V4l2Node) -> tuple[int, ...]:
    """Least and greatest width and height, by v4l2-ctl."""
    listed = v4l2_ctl("-d", node.path, "--list-framesizes=YUYV")
    found = re.search(r"Stepwise (\d+)x(\d+) - (\d+)x(\d+)", listed)
    if found is None:
        pytest.skip("needs a driver with sizes between limits (vivid with num_inputs=1 input_types=3)")
    return tuple(map(int, found.groups()))


def test_the_usual_sizes_within_the_limits_are_offered(node: V4l2Node, limits: tuple[int, ...]) -> None:
    device = V4l2Device(node.path)
    sizes = {(mode.width, mode.height) for mode in device.modes() if mode.pixel_format == "YUYV"}
    device.close()
    least_wide, least_high, width, height = limits
    usual = {size for size in STANDARD_SIZES_WH if least_wide <= size[0] <= width and least_high <= size[1] <= height}
    assert usual > {(640, 480), (1280, 720)}
    assert sizes == usual | {(width, height)}


def test_the_default_mode_is_delivered(camera: V4l2Camera, limits: tuple[int, ...]) -> None:
    camera.open()
    frame = camera.read(PATIENCE_MS)
    assert camera.mode is not None
    assert frame.size_wh == (camera.mode.width, camera.mode.height)
    assert camera.notice == ""
    assert frame.image.std() > 20


@pytest.mark.parametrize("size_wh", [(640, 480), (1280, 720)])
def test_a_chosen_size_is_delivered(node: V4l2Node, limits: tuple[int, ...], size_wh: tuple[int, int]) -> None:
    with V4l2Camera(node.path, wanted=CameraMode(*size_wh, None, "YUYV")) as camera:
        assert camera.read(PATIENCE_MS).size_wh == size_wh
        assert camera.mode is not None
        assert (camera.mode.width, camera.mode.height) == size_wh
