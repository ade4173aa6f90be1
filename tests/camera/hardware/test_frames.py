"""Frames of a V4L2 camera: their times, their count, waiting for them and not waiting for them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.errors import CameraError, CameraTimeout
from tests.camera.hardware.conftest import PATIENCE_MS, SMALL

if TYPE_CHECKING:
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = pytest.mark.hardware


def test_frames_ids_and_the_drivers_time(camera: V4l2Camera) -> None:
    camera.open()
    frames = []
    for _ in range(20):
        frame = camera.read(PATIENCE_MS)
        assert -0.001 <= time.monotonic() - frame.captured_at < 2.0
        frames.append(frame)
    assert [frame.frame_id for frame in frames] == list(range(20))
    assert (np.diff([frame.captured_at for frame in frames]) > 0).all()


def test_the_time_is_the_drivers_not_that_of_reading(node: V4l2Node) -> None:
    # This driver hands a frame over when it begins; unless told so, it stamps it with its end, which is yet to come.
    begin = {"timestamp_source": 1}
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 5.0, "YUYV"), settings=begin) as camera:
        camera.read(PATIENCE_MS)
        ages = []
        for _ in range(5):
            time.sleep(0.33)
            frame = camera.read(PATIENCE_MS)
            ages.append(time.monotonic() - frame.captured_at)
    # A frame that lay ready for a while says so.
    assert max(ages) > 0.05


def test_every_frame_of_the_driver_is_delivered_or_counted(camera: V4l2Camera) -> None:
    camera.open()
    first = camera.read(PATIENCE_MS)
    before = camera.dropped
    last = first
    for _ in range(15):
        last = camera.read(PATIENCE_MS)
    assert camera.mode is not None
    assert camera.mode.fps
    beats = round((last.captured_at - first.captured_at) * camera.mode.fps)
    assert camera.dropped - before + 15 == pytest.approx(beats, abs=1)


class TestCancelling:
    def test_a_waiting_reader_ends_at_once(self, camera: V4l2Camera) -> None:
        camera.open()
        camera.read(PATIENCE_MS)
        camera.pause()  # from now on nothing comes
        caught: list[CameraError] = []

        def work() -> None:
            try:
                camera.read(PATIENCE_MS)
            except CameraError as error:
                caught.append(error)

        thread = threading.Thread(target=work, name="reads")
        thread.start()
        time.sleep(0.5)
        started = time.monotonic()
        camera.cancel()
        thread.join(5)
        assert time.monotonic() - started < 1
        assert caught
        assert not isinstance(caught[0], CameraTimeout)
        camera.close()
        camera.open()
        camera.read(PATIENCE_MS)

    def test_before_opening(self, camera: V4l2Camera) -> None:
        camera.cancel()
        with pytest.raises(CameraError, match="cancelled"):
            camera.open()
        camera.close()
        camera.open()


def test_pausing_stops_the_stream_and_resuming_shows_nothing_old(camera: V4l2Camera) -> None:
    camera.open()
    last = camera.read(PATIENCE_MS)
    camera.pause()
    with pytest.raises(CameraError):
        camera.read(500)
    resumed_at = time.monotonic()
    camera.resume()
    frame = camera.read(PATIENCE_MS)
    assert frame.frame_id == last.frame_id + 1
    assert frame.captured_at >= resumed_at - 0.05
