"""Nothing is left of a camera that was unplugged and came back, however often: threads, files, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.detector.selection import Selection
from edgecam.pipeline.pipeline import Pipeline
from tests.camera.hardware.conftest import Held, plug_in, unplug, wait_for

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.camera.v4l2_nodes import V4l2Node
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from tests.camera.fault_table import FaultTable

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("replugged")]


class Listener:
    """Of a pipeline: its camera's last state, and how many pictures came."""

    def __init__(self) -> None:
        self.pictures = 0
        self.state: CameraState | None = None

    def frame_arrived(self, frame: Frame) -> None:
        self.pictures += 1

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        self.state = status.state

    def result_arrived(self, result: object) -> None: ...

    def camera_refused(self, camera: object, message: str) -> None: ...

    def detector_changed(self, status: object) -> None: ...

    def wait_live(self) -> None:
        before = self.pictures
        wait_for(lambda: self.state is CameraState.LIVE and self.pictures > before + 1)


@pytest.mark.parametrize("cycles", [10, pytest.param(100, marks=pytest.mark.long)])
def test_a_pipeline_leaks_nothing_over_many_cycles(node: V4l2Node, cycles: int, fault_report: FaultTable) -> None:
    listener = Listener()
    pipeline = Pipeline(listener, Selection())
    try:
        pipeline.show_camera(lambda: V4l2Camera(node.path))
        listener.wait_live()
        for number in range(-3, cycles):  # the first ones load what is loaded once
            if number == 0:
                before = Held.now()
            unplug()
            wait_for(lambda: listener.state is CameraState.RECONNECTING)
            plug_in()
            listener.wait_live()
        after = Held.now()
    finally:
        pipeline.stop()
    fault_report.append(f"{cycles} cycles of unplugging, V4L2 in a pipeline: {before} → {after}")
    assert (after.threads, after.files) == (before.threads, before.files)
    # One forgotten buffer of this camera, or one forgotten picture, is a megabyte.
    assert after.memory_kib - before.memory_kib < 100 * cycles + 4096
