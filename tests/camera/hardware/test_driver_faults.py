"""The driver's own buttons for faults, pressed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraMode
from edgecam.errors import CameraError, CameraLost
from tests.camera.hardware.conftest import PATIENCE_MS, SMALL, press, v4l2_ctl
from tests.camera.reading import read_until

if TYPE_CHECKING:
    from edgecam.camera.v4l2 import V4l2Camera
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


def test_a_fatal_streaming_error(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    camera.read(PATIENCE_MS)
    press(node.path, "inject_fatal_streaming_error")
    started = time.monotonic()
    _frames, message = read_until(camera, CameraLost, PATIENCE_MS, 30)
    took_s = time.monotonic() - started
    assert "fatal error" in message
    assert took_s < 5
    camera.close()
    camera.open()
    assert camera.read(PATIENCE_MS).frame_id == 0


def test_dropped_buffers_are_counted(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.wanted = CameraMode(*SMALL, 10.0, "YUYV")
    camera.settings = {"percentage_of_dropped_buffers": 50}
    try:
        camera.open()
        frames = [camera.read(PATIENCE_MS) for _ in range(12)]
        assert camera.mode is not None
        assert camera.mode.fps
        beats = round((frames[-1].captured_at - frames[0].captured_at) * camera.mode.fps)
        assert beats > 14
        assert camera.dropped >= beats - 11 - 2
        assert [frame.frame_id for frame in frames] == list(range(12))
    finally:
        v4l2_ctl("-d", node.path, "-c", "percentage_of_dropped_buffers=0")


@pytest.mark.parametrize(
    "button",
    ["inject_vidioc_streamon_error", "inject_vidioc_s_fmt_error", "inject_vidioc_reqbufs_error",
     "inject_vidioc_qbuf_error"],
)  # fmt: skip
def test_a_refused_start_leaves_nothing_and_the_next_works(camera: V4l2Camera, node: V4l2Node, button: str) -> None:
    if button not in v4l2_ctl("-d", node.path, "-l"):
        pytest.skip(f"this driver has no {button}")
    files = len(os.listdir("/proc/self/fd"))
    press(node.path, button)
    with pytest.raises(CameraError) as caught:
        camera.open()
    assert node.name in str(caught.value)
    assert len(os.listdir("/proc/self/fd")) == files
    camera.open()
    camera.read(PATIENCE_MS)
