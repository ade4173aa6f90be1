"""Each fault on each backend, under the capture thread: seen how soon, said how, live again how soon, nothing left.

Prints a table at the end of the test run.
"""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.opening import camera_for
from edgecam.camera.rpicam import RpicamCamera
from edgecam.errors import CameraLost
from edgecam.pipeline.capture import CaptureWorker
from tests.camera.fake_rpicam import install
from tests.camera.fault_table import FaultRow, FaultTable
from tests.camera.mjpeg_server import MjpegServer
from tests.camera.reading import read_until
from tests.processor_share import ShareMeter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgecam.camera.base import Camera
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from tests.camera.conftest import RtspServer

SEEN_WITHIN_S = 1.5
LIVE_WITHIN_S = 2.0
AWAY_S = (0.3, 4.2)  # gone for a moment, and until a moment after a try, once the pauses between them have grown


@dataclass
class Run:
    """A capture thread and everything it told."""

    camera: Camera

    def __post_init__(self) -> None:
        self.statuses: list[tuple[float, CameraStatus]] = []
        self.arrivals: list[float] = []
        self.worker = CaptureWorker(self.camera, on_frame=self._on_frame, on_status=self._on_status)
        self.worker.start()

    def _on_frame(self, _worker: CaptureWorker, frame: Frame) -> None:
        self.arrivals.append(time.monotonic())

    def _on_status(self, _worker: CaptureWorker, status: CameraStatus) -> None:
        self.statuses.append((time.monotonic(), status))

    def wait_frames(self, count: int, since: float = 0.0, timeout_s: float = 15) -> float:
        """When the `count`-th frame after `since` came."""
        deadline = time.monotonic() + timeout_s
        while True:
            after = [at for at in list(self.arrivals) if at > since]
            if len(after) >= count:
                return after[count - 1]
            assert time.monotonic() < deadline, [status for _at, status in self.statuses]
            time.sleep(0.01)

    def wait_trouble(self, since: float, timeout_s: float = 10) -> tuple[float, CameraStatus]:
        deadline = time.monotonic() + timeout_s
        while True:
            for at, status in list(self.statuses):
                if at > since and status.state is not CameraState.LIVE:
                    return at, status
            assert time.monotonic() < deadline, "the trouble was not seen"
            time.sleep(0.01)

    def lost_between(self, damaged_at: float, repaired_at: float) -> int:
        """Pictures that were due while the source was there and did not come: up to the fault, and from the repair."""
        arrivals = list(self.arrivals)
        before = [at for at in arrivals if at <= damaged_at]
        mode = self.camera.mode
        # What the camera says, where it does: a stream begins with a burst of what its server had kept.
        told_s = 1 / mode.fps if mode is not None and mode.fps else 0.0
        period_s = told_s or statistics.median(later - at for at, later in itertools.pairwise(before))
        first_after = next(at for at in arrivals if at > repaired_at)
        return int((damaged_at - before[-1]) / period_s) + int((first_after - repaired_at) / period_s)

    def stop(self) -> None:
        self.worker.request_stop()
        self.worker.join(2)
        assert not self.worker.is_alive()


def resources() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def suffer(
    fault: str, camera: Camera, damage: Callable[[], object], repair: Callable[[], object], away_s: float,
    report: FaultTable,
) -> None:  # fmt: skip
    """Lets the fault happen and asserts the targets."""
    kind = type(camera).__name__.removesuffix("Camera")
    if kind == "Stream":
        kind = camera.address.partition(":")[0]
    before = resources()
    run = Run(camera)
    run.wait_frames(8)
    with ShareMeter() as meter:
        damaged_at = time.monotonic()
        damage()
        seen_at, status = run.wait_trouble(damaged_at)
        time.sleep(max(0.0, away_s - (time.monotonic() - damaged_at)))
        returned = repair()  # a camera may say itself since when it is back
        repaired_at = returned if isinstance(returned, float) else time.monotonic()
        live_at = run.wait_frames(1, since=repaired_at)
        run.wait_frames(3, since=repaired_at)
    lost = run.lost_between(damaged_at, repaired_at)
    run.stop()
    after = settled(before)
    row = FaultRow(
        kind, fault, away_s, seen_at - damaged_at, live_at - repaired_at, lost, before, after, meter.waited_s, status
    )
    report.append(row)
    # The targets are those of a machine that is there for this: what its threads waited for a processor is not theirs.
    assert row.seen_s < SEEN_WITHIN_S + min(meter.waited_s, SEEN_WITHIN_S), row
    assert row.live_s < LIVE_WITHIN_S + min(meter.waited_s, LIVE_WITHIN_S), row
    assert status.message
    assert after[0] <= before[0], row
    assert after[1] <= before[1], row


def settled(before: tuple[int, int], patience_s: float = 2) -> tuple[int, int]:
    """Threads and descriptors once those of the test's own servers have ended."""
    deadline = time.monotonic() + patience_s
    while any(now > then for now, then in zip(resources(), before, strict=True)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return resources()


@pytest.mark.parametrize("away_s", AWAY_S)
class TestMjpeg:
    def test_server_killed(self, away_s: float, fault_report: FaultTable) -> None:
        servers = [MjpegServer()]
        port = servers[0].port
        try:
            suffer("server killed", camera_for(servers[0].url), lambda: servers.pop().stop(),
                   lambda: servers.append(MjpegServer(port)), away_s, fault_report)  # fmt: skip
        finally:
            for server in servers:
                server.stop()

    def test_server_frozen(self, mjpeg_server: MjpegServer, away_s: float, fault_report: FaultTable) -> None:
        def freeze(frozen: bool) -> None:
            mjpeg_server.behaviour.frozen = frozen

        suffer("server frozen", camera_for(mjpeg_server.url), lambda: freeze(True), lambda: freeze(False), away_s,
               fault_report)  # fmt: skip

    def test_broken_pictures_only(self, mjpeg_server: MjpegServer, away_s: float, fault_report: FaultTable) -> None:
        def spoil(every: int) -> None:
            mjpeg_server.behaviour.broken_every = every

        suffer("broken pictures only", camera_for(mjpeg_server.url), lambda: spoil(1), lambda: spoil(0), away_s,
               fault_report)  # fmt: skip


@pytest.mark.parametrize("away_s", AWAY_S)
def test_rtsp_server_killed(start_rtsp: Callable[..., RtspServer], away_s: float, fault_report: FaultTable) -> None:
    server = start_rtsp()
    suffer("server killed", camera_for(server.url), server.kill, lambda: start_rtsp(port=server.port), away_s,
           fault_report)  # fmt: skip


@pytest.mark.parametrize("away_s", AWAY_S)
def test_rtsp_server_frozen(start_rtsp: Callable[..., RtspServer], away_s: float, fault_report: FaultTable) -> None:
    server = start_rtsp()
    suffer("server frozen", camera_for(server.url), server.freeze, server.thaw, away_s, fault_report)


@pytest.mark.parametrize("away_s", AWAY_S)
@pytest.mark.parametrize(
    ("fault", "behaviour"), [("child died", "die"), ("child stalled", "stall"), ("half a frame", "half-frame")]
)
def test_rpicam(fault: str, behaviour: str, away_s: float, tmp_path: Path, fault_report: FaultTable) -> None:
    fake = install(tmp_path)
    suffer(fault, RpicamCamera(0, str(fake.program)), lambda: fake.behave(behaviour), lambda: fake.behave("good"),
           away_s, fault_report)  # fmt: skip


def test_nothing_is_left_after_a_hundred_losses(mjpeg_server: MjpegServer) -> None:
    mjpeg_server.behaviour.limit = 2  # the server ends each stream after two pictures
    camera = camera_for(mjpeg_server.url)
    before: tuple[int, int] | None = None
    for _ in range(100):
        camera.open()
        _frames, said = read_until(camera, CameraLost)
        assert "the server ended the stream" in said
        camera.close()
        time.sleep(0 if before else 0.3)
        before = before or resources()
    assert before is not None
    after = settled(before)
    assert after[0] <= before[0]
    assert after[1] <= before[1]


def test_nothing_is_left_after_many_rtsp_streams(start_rtsp: Callable[..., RtspServer]) -> None:
    server = start_rtsp()
    camera = camera_for(server.url)
    before: tuple[int, int] | None = None
    for _ in range(15):
        camera.open()
        camera.read(5000)
        camera.close()
        before = before or resources()
    assert before is not None
    after = settled(before)
    assert after[0] <= before[0]
    assert after[1] <= before[1]
