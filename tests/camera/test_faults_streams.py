"""More faults of streams under the capture thread: over UDP, another size, another password, noise; and giving up."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.opening import camera_for
from edgecam.pipeline.capture import BACKOFF_S
from tests.camera.fault_table import FaultRow, FaultTable
from tests.camera.mjpeg_server import MjpegServer
from tests.camera.noisy_proxy import NoisyProxy
from tests.camera.test_faults import AWAY_S, LIVE_WITHIN_S, Run, resources, settled, suffer
from tests.processor_share import ShareMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.camera.conftest import RtspServer


@pytest.mark.parametrize("away_s", AWAY_S)
class TestUdp:
    def test_server_killed(
        self, start_rtsp: Callable[..., RtspServer], away_s: float, fault_report: FaultTable
    ) -> None:
        server = start_rtsp()
        suffer("server killed", camera_for(server.udp_url), server.kill, lambda: start_rtsp(port=server.port), away_s,
               fault_report)  # fmt: skip

    def test_server_frozen(
        self, start_rtsp: Callable[..., RtspServer], away_s: float, fault_report: FaultTable
    ) -> None:
        server = start_rtsp()
        suffer("server frozen", camera_for(server.udp_url), server.freeze, server.thaw, away_s, fault_report)


@pytest.mark.parametrize("away_s", AWAY_S)
def test_noise_instead_of_pictures(mjpeg_server: MjpegServer, away_s: float, fault_report: FaultTable) -> None:
    def spoil(noise: bool) -> None:
        mjpeg_server.behaviour.noise = noise

    suffer("noise only", camera_for(mjpeg_server.url), lambda: spoil(True), lambda: spoil(False), away_s, fault_report)


@pytest.mark.parametrize("away_s", AWAY_S)
def test_noise_in_rtsp(start_rtsp: Callable[..., RtspServer], away_s: float, fault_report: FaultTable) -> None:
    with NoisyProxy(start_rtsp().port) as proxy:

        def spoil(noise: bool) -> None:
            proxy.noise = noise

        camera = camera_for(f"rtsp://127.0.0.1:{proxy.port}/live")
        suffer("noise only", camera, lambda: spoil(True), lambda: spoil(False), away_s, fault_report)


def test_another_size(start_rtsp: Callable[..., RtspServer], fault_report: FaultTable) -> None:
    """Nothing has to return: the stream is there, and is opened anew at once."""
    server = start_rtsp("--resize-after", "60", "--resize-to", "320x240")
    before = resources()
    run = Run(camera_for(server.url))
    run.wait_frames(8)
    with ShareMeter() as meter:
        seen_at, status = run.wait_trouble(run.arrivals[-1])
        last = max(at for at in run.arrivals if at <= seen_at)
        live_at = run.wait_frames(1, since=seen_at)
    mode = run.camera.mode
    run.stop()
    row = FaultRow("rtsp", "another size", 0, seen_at - last, live_at - seen_at, None, before, settled(before),
                   meter.waited_s, status)  # fmt: skip
    fault_report.append(row)
    assert status.state is CameraState.RECONNECTING
    assert "changed the size of its picture; it is opened anew" in status.message
    assert mode is not None
    assert (mode.width, mode.height) == (320, 240)
    assert row.live_s < LIVE_WITHIN_S + meter.waited_s, row


def test_another_password(mjpeg_server: MjpegServer, fault_report: FaultTable) -> None:
    """The new one is asked for; the old one is not offered again and again: servers lock out who does that."""
    mjpeg_server.behaviour.login = ("me", "old")
    port = mjpeg_server.port
    before = resources()
    run = Run(camera_for(f"http://me:old@127.0.0.1:{port}/video"))
    run.wait_frames(8)
    mjpeg_server.stop()
    gone_at = time.monotonic()
    server = MjpegServer(port)
    server.behaviour.login = ("me", "new")
    try:
        run.worker.join(5)
        assert not run.worker.is_alive()
        status = run.worker.status
        assert status.state is CameraState.FAILED
        assert run.camera.needs_login
        assert "refuses this user name or password" in status.message
        assert len(server.behaviour.requests) == 2  # without a login, as each time at first, and with the old one
    finally:
        server.stop()
    after = settled(before)
    failed_at = run.statuses[-1][0]
    fault_report.append(FaultRow("http", "another password", 0, failed_at - gone_at, 0, None, before, after, 0, status))
    assert after[0] <= before[0]


def test_trying_again_is_paced_shown_and_ends_at_once_when_told(mjpeg_server: MjpegServer) -> None:
    run = Run(camera_for(mjpeg_server.url))
    run.wait_frames(3)
    mjpeg_server.stop()
    gone_at = time.monotonic()
    time.sleep(sum(BACKOFF_S) + 2 * BACKOFF_S[-1])
    tries = [(at, status) for at, status in run.statuses if status.state is CameraState.RECONNECTING]
    assert [status.attempt for _at, status in tries] == list(range(1, len(tries) + 1))
    assert len(tries) >= 4
    assert all("connection refused" in status.message for _at, status in tries[1:])
    assert {status.since for _at, status in tries} == {tries[0][1].since}  # one trouble, with one beginning
    assert tries[0][1].since >= gone_at - 0.5
    pauses = [later[0] - at for (at, _), later in itertools.pairwise(tries)]
    for pause_s, least_s in zip(pauses, (*BACKOFF_S, *2 * BACKOFF_S[-1:]), strict=False):
        assert pause_s > 0.9 * least_s
    told_at = time.monotonic()
    run.stop()
    assert time.monotonic() - told_at < 0.5
