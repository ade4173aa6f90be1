"""RTSP whose pictures come over UDP, where the address asks for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.opening import camera_for
from edgecam.errors import CameraError, CameraLost, CameraTimeout, CredentialsNeeded
from tests.camera.reading import made_at, read_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.camera.conftest import RtspServer

    Start = Callable[..., RtspServer]


def test_frames_come_with_little_delay(start_rtsp: Start) -> None:
    server = start_rtsp("--transport", "udp")
    with camera_for(server.udp_url) as camera:
        frames = [camera.read(2000) for _ in range(50)]
        assert str(camera.mode).startswith("640 × 360 · h264")
    assert camera.address == server.udp_url
    delays = [frame.captured_at - made_at(frame) for frame in frames]
    assert 0 < np.percentile(delays, 25) < 0.08


def test_only_where_asked_for(start_rtsp: Start) -> None:
    server = start_rtsp("--transport", "udp")
    with pytest.raises(CameraError, match=r"does not send over TCP\. Begin the address with rtspu://"):
        camera_for(server.url).open()
    server = start_rtsp("--transport", "tcp")
    with pytest.raises(CameraError, match=r"does not send over UDP\. Begin the address with rtsp://"):
        camera_for(server.udp_url).open()


def test_with_a_login(start_rtsp: Start) -> None:
    server = start_rtsp("--login", "me:secret")
    with camera_for(f"rtspu://me:secret@127.0.0.1:{server.port}/live") as camera:
        camera.read(2000)
    with pytest.raises(CredentialsNeeded, match="asks for user name and password"):
        camera_for(server.udp_url).open()


def test_another_size_in_mid_stream_is_scaled_to_the_first(start_rtsp: Start) -> None:
    """What comes over UDP is not seen on its way: the picture goes on in its first size."""
    server = start_rtsp("--resize-after", "40", "--resize-to", "320x180")
    with camera_for(server.udp_url) as camera:
        frames = [camera.read(2000) for _ in range(90)]
    assert {frame.size_wh for frame in frames} == {(640, 360)}
    # A packet that is lost on a busy machine spoils pictures until the next key frame: that is UDP.
    ages = [frame.captured_at - made_at(frame) for frame in frames[-40:]]
    assert 0 < np.median(ages) < 5


def test_a_killed_server_is_noticed_and_a_new_one_found(start_rtsp: Start) -> None:
    server = start_rtsp()
    camera = camera_for(server.udp_url)
    camera.open()
    server.kill()
    started = time.monotonic()
    read_until(camera, CameraLost)
    assert time.monotonic() - started < 1.5
    camera.close()
    start_rtsp(port=server.port)
    with camera:
        assert camera.read(1000).frame_id == 0


def test_a_frozen_server_times_out_and_closing_is_quick(start_rtsp: Start) -> None:
    server = start_rtsp("--freeze-after", "40")
    camera = camera_for(server.udp_url)
    camera.open()
    read_until(camera, CameraTimeout, timeout_ms=500)
    started = time.monotonic()
    camera.close()
    assert time.monotonic() - started < 0.5
