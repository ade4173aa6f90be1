"""Cameras that are unplugged and come back, for real: the driver is unbound and bound again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.hotplug import CameraWatcher
from edgecam.errors import CameraError, CameraLost
from tests.camera.hardware.conftest import PATIENCE_MS, plug_in, press, unplug, wait_for
from tests.camera.reading import read_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.camera.info import CameraInfo
    from edgecam.camera.v4l2 import V4l2Camera
    from edgecam.camera.v4l2_nodes import V4l2Node

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("replugged")]


def test_the_loss_is_seen_and_the_camera_comes_back(camera: V4l2Camera) -> None:
    camera.open()
    camera.read(PATIENCE_MS)
    unplug()
    started = time.monotonic()
    _frames, message = read_until(camera, CameraLost, PATIENCE_MS, 30)
    took_s = time.monotonic() - started
    assert "disconnected" in message or "failed" in message
    assert took_s < 1.5
    camera.close()
    with pytest.raises(CameraError, match="not connected"):
        camera.open()
    plug_in()
    camera.open()
    assert camera.read(PATIENCE_MS).frame_id == 0


def test_a_simulated_disconnection(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    camera.read(PATIENCE_MS)
    press(node.path, "disconnect")
    started = time.monotonic()
    _frames, message = read_until(camera, CameraLost, PATIENCE_MS, 30)
    took_s = time.monotonic() - started
    assert "disconnected" in message
    assert took_s < 1.5
    camera.close()
    # This driver's button only breaks the connection; the camera is there again at once.
    camera.open()
    camera.read(PATIENCE_MS)


def test_the_watcher_tells_of_each(nodes: list[V4l2Node]) -> None:
    told: list[list[str]] = []

    def on_change(cameras: Sequence[CameraInfo]) -> None:
        told.append([camera.device for camera in cameras if camera.name.startswith("vivid")])

    watcher = CameraWatcher(on_change, poll_s=30)  # so that only the kernel's messages can be in time
    watcher.start()
    try:
        every = [node.path for node in nodes]
        wait_for(lambda: told == [every])
        unplug()
        unplugged_at = time.monotonic()
        wait_for(lambda: bool(told) and told[-1] == [], 10)
        assert time.monotonic() - unplugged_at < 5
        plug_in()
        plugged_at = time.monotonic()
        wait_for(lambda: told[-1] == every, 10)
        assert time.monotonic() - plugged_at < 5
    finally:
        watcher.stop()
