"""RTSP from GStreamer's server: delay, logins, another size, servers that die or freeze."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.credentials import Credentials
from edgecam.camera.opening import camera_for
from edgecam.errors import CameraError, CameraLost, CameraTimeout, CredentialsNeeded
from tests.camera.ports import free_port
from tests.camera.reading import made_at, read_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.camera.conftest import RtspServer

    Start = Callable[..., RtspServer]


def test_frames_come_with_little_delay(start_rtsp: Start) -> None:
    server = start_rtsp()
    with camera_for(server.url) as camera:
        frames = [camera.read(2000) for _ in range(50)]
        assert camera.mode is not None
        assert (camera.mode.width, camera.mode.height, camera.mode.fps) == (640, 360, 25)
    delays = [frame.captured_at - made_at(frame) for frame in frames]
    # One frame for the encoder's packets to be complete; no queue of a decoder on top.
    # The quickest half: the server's own encoder may be late on a busy machine.
    assert np.percentile(delays, 25) < 0.08
    assert np.median(np.diff([frame.captured_at for frame in frames])) == pytest.approx(0.04, abs=0.02)


def test_delay_does_not_grow_behind_a_slow_consumer(start_rtsp: Start) -> None:
    server = start_rtsp()
    with camera_for(server.url) as camera:
        delays = []
        for _ in range(10):
            time.sleep(0.2)
            frame = camera.read(2000)
            delays.append(time.monotonic() - made_at(frame))
    assert np.median(delays[5:]) < np.median(delays[:5]) + 0.2


class TestLogin:
    def test_in_the_address(
        self, start_rtsp: Start, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        server = start_rtsp("--login", "me:p@ss")
        caplog.set_level(logging.DEBUG)
        with camera_for(f"rtsp://me:p@ss@127.0.0.1:{server.port}/live") as camera:
            camera.read()
        assert camera.address == server.url
        written = capfd.readouterr()
        for text in (camera.name, camera.address, str(vars(camera)), caplog.text, written.out, written.err):
            assert "p@ss" not in text
            assert "p%40ss" not in text

    def test_asked_for(self, start_rtsp: Start) -> None:
        server = start_rtsp("--login", "me:secret")
        with pytest.raises(CredentialsNeeded, match="asks for user name and password"):
            camera_for(server.url).open()
        with camera_for(server.url, credentials=Credentials("me", "secret")) as camera:
            camera.read()

    def test_wrong(self, start_rtsp: Start) -> None:
        server = start_rtsp("--login", "me:secret")
        with pytest.raises(CredentialsNeeded, match="refuses this user name and password"):
            camera_for(server.url, credentials=Credentials("me", "other")).open()


def test_no_such_stream(start_rtsp: Start) -> None:
    server = start_rtsp()
    with pytest.raises(CameraError, match="no such stream"):
        camera_for(f"rtsp://127.0.0.1:{server.port}/other").open()


def test_another_size_in_mid_stream_opens_the_stream_anew(start_rtsp: Start) -> None:
    """OpenCV's reader keeps the size that it was opened with, and would deliver a distorted picture."""
    server = start_rtsp("--resize-after", "60", "--resize-to", "320x240")
    camera = camera_for(server.url)
    camera.open()
    frames, said = read_until(camera, CameraLost, timeout_ms=5000)
    assert "changed the size of its picture" in said
    assert {frame.size_wh for frame in frames} == {(640, 360)}
    assert camera.may_be_back()
    camera.close()
    camera.open()
    assert camera.read(2000).size_wh == (320, 240)
    assert camera.mode is not None
    assert (camera.mode.width, camera.mode.height) == (320, 240)
    assert not camera.may_be_back()
    camera.close()


def test_a_killed_server_is_noticed_and_a_new_one_found(start_rtsp: Start) -> None:
    server = start_rtsp()
    camera = camera_for(server.url)
    camera.open()
    camera.read(2000)
    server.kill()
    started = time.monotonic()
    read_until(camera, CameraLost)
    assert time.monotonic() - started < 1.5
    with pytest.raises(CameraError, match="connection refused"):
        camera.open()
    start_rtsp(port=server.port)
    started = time.monotonic()
    camera.open()
    assert camera.read(1000).frame_id == 0
    assert time.monotonic() - started < 2.5
    camera.close()


def test_a_frozen_server_times_out(start_rtsp: Start) -> None:
    server = start_rtsp("--freeze-after", "40")
    with camera_for(server.url) as camera:
        started = time.monotonic()
        read_until(camera, CameraTimeout, timeout_ms=500)
        assert time.monotonic() - started < 4


def test_no_server() -> None:
    with pytest.raises(CameraError, match="connection refused"):
        camera_for(f"rtsp://127.0.0.1:{free_port()}/live").open()
