"""Another mode while the camera is live: it changes over, and a mode that fails gives way to the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraMode, CameraState
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.detector.selection import Selection
from edgecam.pipeline.pipeline import Pipeline
from tests.camera.hardware.conftest import SMALL, press, v4l2_ctl
from tests.pipeline.pipeline_fakes import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware

PATIENCE_S = 30.0
FIRST = CameraMode(*SMALL, 30.0, "YUYV")
OTHER = CameraMode(640, 360, 25.0, "UYVY")


class Live:
    """A pipeline with the camera in its first mode."""

    def __init__(self, node: V4l2Node) -> None:
        self.recorder = Recorder()
        self.pipeline = Pipeline(self.recorder, Selection())
        self._node = node
        self.choose(FIRST)
        self.wait_size(SMALL)

    def choose(self, mode: CameraMode) -> None:
        self.pipeline.show_camera(lambda: V4l2Camera(self._node.path, wanted=mode))

    def wait_size(self, size_wh: tuple[int, int]) -> None:
        """Until pictures of this size come."""
        start = len(self.recorder.frames)
        self.recorder.wait_for(lambda: any(f.size_wh == size_wh for f in self.recorder.frames[start:]), PATIENCE_S)

    @property
    def camera(self) -> V4l2Camera:
        assert self.pipeline.capture is not None
        assert isinstance(self.pipeline.capture.camera, V4l2Camera)
        return self.pipeline.capture.camera


@pytest.fixture
def live(node: V4l2Node) -> Iterator[Live]:
    live = Live(node)
    yield live
    live.pipeline.stop()


def test_another_mode_takes_over(live: Live) -> None:
    live.choose(OTHER)
    live.wait_size((OTHER.width, OTHER.height))
    assert live.camera.mode == OTHER
    live.choose(FIRST)
    live.wait_size(SMALL)
    assert live.camera.mode == FIRST
    assert live.recorder.refused == []
    assert set(live.recorder.states) <= {CameraState.OPENING, CameraState.LIVE}


@pytest.mark.parametrize("button", ["inject_vidioc_streamon_error", "inject_vidioc_reqbufs_error"])
def test_a_mode_that_fails_gives_way_to_the_old_one(live: Live, node: V4l2Node, button: str) -> None:
    if button not in v4l2_ctl("-d", node.path, "-l"):
        pytest.skip(f"this driver has no {button}")
    press(node.path, button)  # the next start fails
    live.choose(OTHER)
    live.recorder.wait_for(lambda: live.recorder.refused, PATIENCE_S)
    ((name, message),) = live.recorder.refused
    assert name == node.name
    assert node.name in message
    live.wait_size(SMALL)
    assert live.camera.mode == FIRST
