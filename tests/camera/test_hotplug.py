"""The watcher of cameras, on a list that the tests change."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.camera.hotplug import CameraWatcher, udev_monitor
from edgecam.camera.info import CameraInfo, CameraKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WEBCAM = CameraInfo("Webcam", "v4l2:usb-Webcam-video-index0", "/dev/video0", "USB 1-1", CameraKind.USB)


class Monitor:
    """A monitor of the kernel's messages that a test writes."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)

    def send(self) -> None:
        os.write(self._writer, b"x")

    def fileno(self) -> int:
        return self._reader

    def poll(self, timeout: float) -> object | None:
        try:
            return os.read(self._reader, 1)
        except BlockingIOError:
            return None

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class Bench:
    """A watcher, the list it sees, and what it told."""

    def __init__(self, monitor: Monitor | None, poll_s: float) -> None:
        self.cameras: list[CameraInfo] = []
        self.told: list[list[CameraInfo]] = []
        self.looks = 0
        self.watcher = CameraWatcher(
            self._on_change, poll_s=poll_s, look=self._look, snapshot=lambda: list(self.cameras),
            listen=lambda: monitor,
        )  # fmt: skip

    def _look(self) -> Sequence[CameraInfo]:
        self.looks += 1
        return list(self.cameras)

    def _on_change(self, cameras: Sequence[CameraInfo]) -> None:
        self.told.append(list(cameras))

    def wait_for(self, told: list[list[CameraInfo]], timeout_s: float = 3) -> float:
        started = time.monotonic()
        while self.told != told:
            assert time.monotonic() - started < timeout_s, self.told
            time.sleep(0.005)
        return time.monotonic() - started


@pytest.fixture
def make() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make_bench(monitor: Monitor | None = None, poll_s: float = 0.1) -> Bench:
        benches.append(Bench(monitor, poll_s))
        return benches[-1]

    yield make_bench
    for bench in benches:
        bench.watcher.stop()


def test_without_messages_it_looks_now_and_then(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.watcher.start()
    bench.wait_for([[]])
    bench.cameras.append(WEBCAM)
    bench.wait_for([[], [WEBCAM]])
    bench.cameras.clear()
    bench.wait_for([[], [WEBCAM], []])
    looks = bench.looks
    time.sleep(0.5)
    assert bench.looks == looks, "cameras are asked only when something changed"


def test_with_messages_it_tells_at_once(make: Callable[..., Bench]) -> None:
    monitor = Monitor()
    try:
        bench = make(monitor, poll_s=60)
        bench.watcher.start()
        bench.wait_for([[]])
        bench.cameras.append(WEBCAM)
        for _ in range(5):
            monitor.send()
        assert bench.wait_for([[], [WEBCAM]]) < 0.6
        monitor.send()  # nothing has changed: nothing is told
        time.sleep(0.4)
        assert len(bench.told) == 2
    finally:
        bench.watcher.stop()
        monitor.close()


def test_stopping_is_quick_and_can_be_done_twice(make: Callable[..., Bench]) -> None:
    bench = make(poll_s=60)
    bench.watcher.start()
    bench.wait_for([[]])
    started = time.monotonic()
    bench.watcher.stop()
    assert time.monotonic() - started < 0.3
    bench.watcher.stop()


def test_stopping_what_never_started(make: Callable[..., Bench]) -> None:
    make().watcher.stop()


def test_a_fault_while_looking_does_not_end_the_watch(
    make: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    bench = make()

    def fail(_cameras: Any) -> None:
        if not bench.told:
            bench.told.append([])
            raise RuntimeError("broken")
        bench.told.append([WEBCAM])

    bench.watcher._on_change = fail
    with caplog.at_level(logging.ERROR):
        bench.watcher.start()
        bench.wait_for([[]])
        bench.cameras.append(WEBCAM)
        bench.wait_for([[], [WEBCAM]])
    assert "Looking for cameras failed" in caplog.text


def test_the_systems_monitor_opens_or_says_why_not() -> None:
    monitor = udev_monitor()
    if monitor is not None:
        assert monitor.poll(timeout=0) is None
