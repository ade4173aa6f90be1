"""The real window as a subject of measurements: built as a user gets it, driven by `edgecam bench`."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil
from PySide6.QtCore import QEventLoop, QTimer

from edgecam.commands.source_options import model_library
from edgecam.errors import EdgecamError
from edgecam.gui.application import make_application, spare_collector
from edgecam.gui.cameras.watch import CameraWatch
from edgecam.gui.main_window import MainWindow
from edgecam.gui.preferences import Preferences
from edgecam.pipeline.rates import LatencySeries, StageSeries
from edgecam.settings import SettingsStore
from edgecam.system_load import ThreadLoadMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgecam.camera.base import Camera
    from edgecam.detector.detector import Detector

PATIENCE_S = 30.0
MOST_KEPT_S = 300.0  # of ages: what is measured must not grow by being measured


class BenchFailed(EdgecamError):
    """The window did not do what was to be measured."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted, up to a moment (monotonic s)."""

    at: float
    captured: int
    painted: int
    missed: int
    skipped: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Span:
    """What happened between two counts.

    Attributes:
        seconds: how long it was.
        captured, painted, detected: per second.
        missed, skipped: pictures that the display, and the detector, did not take.
        cpu_percent: processor time of the whole process, 100 = one core.
        cpu_groups: the same by thread group.
        stages_ms: median of each stage of the detector.
        model_busy: share of the time in which the model ran.
        age_ms: age of each picture when it was painted; of a long span, those of its last minutes.
        memory: (monotonic s, resident MB) once per second.
        threads, descriptors: of the process, first and last.
    """

    seconds: float
    captured: float
    painted: float
    detected: float
    missed: int
    skipped: int
    cpu_percent: float
    cpu_groups: dict[str, float]
    stages_ms: dict[str, float]
    model_busy: float
    age_ms: list[float]
    memory: list[tuple[float, float]]
    threads: tuple[int, int]
    descriptors: tuple[int, int]


class BenchWindow:
    """A window with settings of its own, shown on the display that is there."""

    def __init__(self, folder: Path) -> None:
        cv2.setNumThreads(1)  # as the application does
        self.window = MainWindow(
            Preferences(SettingsStore(folder / "settings.json")), model_library(), CameraWatch(), folder
        )
        self._process = psutil.Process()
        self._threads = ThreadLoadMeter()
        self.window.show()
        spare_collector()  # so does this

    def show_camera(self, make_camera: Callable[[], Camera]) -> None:
        """Chooses a camera and waits until its pictures are painted.

        Raises:
            BenchFailed: none is painted.
        """
        before, camera = self.window.view.frame, self.window.pipeline.capture
        self.window.pipeline.show_camera(make_camera)
        self._wait(
            lambda: self.window.view.frame is not before and self.window.pipeline.capture is not camera, "no picture"
        )

    def use_detector(self, name: str, load: Callable[[], Detector] | None) -> None:
        """Changes the detector and waits until it runs.

        Raises:
            BenchFailed: it does not load.
        """
        detect = self.window.pipeline.detect
        before = detect.detector
        detect.change(name, load)
        if load is None:
            self.let_run(0.1)
            return
        self._wait(lambda: detect.detector is not before or detect.status.message, "the detector does not load")
        if detect.status.message:
            raise BenchFailed(detect.status.message)

    def show_performance(self, shown: bool) -> None:
        """Shows or hides the performance panel."""
        self.window.actions_.performance.setChecked(shown)
        self.let_run(0.3)

    def pause(self, paused: bool) -> None:
        """Stops or resumes the camera; returns when nothing is under way any more, or when it runs evenly again."""
        self.window.pipeline.pause(paused)
        self.let_run(0.3)

    def measure(self, seconds: float, *, progress: Callable[[float], None] = lambda _: None) -> Span:
        """Lets the window run and counts. `progress` is told the seconds that have passed, once per second."""
        view, detect = self.window.view, self.window.pipeline.detect
        view.age = LatencySeries(window_s=min(seconds + 60, MOST_KEPT_S))
        view.age.clear()
        self._threads.read()
        memory = []
        first = self._process.num_threads(), self._descriptors()
        start = self._counts()
        while (passed := time.monotonic() - start.at) < seconds:
            self.let_run(min(1.0, seconds - passed))
            memory.append((time.monotonic(), self._process.memory_info().rss / 1e6))
            progress(min(seconds, time.monotonic() - start.at))
        end = self._counts()
        ages_s, _ = detect.latency.values(end.at)
        elapsed = end.at - start.at
        detected = [age for age in ages_s.tolist() if age <= elapsed]
        return Span(
            seconds=elapsed,
            captured=(end.captured - start.captured) / elapsed,
            painted=(end.painted - start.painted) / elapsed,
            detected=(len(detected) - 1) / (detected[0] - detected[-1]) if len(detected) > 1 else 0.0,
            missed=end.missed - start.missed,
            skipped=end.skipped - start.skipped,
            cpu_percent=(end.cpu_s - start.cpu_s) / elapsed * 100,
            cpu_groups=self._threads.read(),
            stages_ms={name: _median(detect.stages[name], end.at, elapsed) for name in StageSeries.NAMES},
            model_busy=_sum(detect.stages["inference"], end.at, elapsed) / (elapsed * 1e3),
            age_ms=view.age.values(end.at)[1].tolist(),
            memory=memory,
            threads=(first[0], self._process.num_threads()),
            descriptors=(first[1], self._descriptors()),
        )

    def let_run(self, seconds: float) -> None:
        """Lets Qt work for a while."""
        loop = QEventLoop()
        QTimer.singleShot(max(0, round(seconds * 1000)), loop.quit)
        loop.exec()

    def close(self) -> None:
        """Closes the window and ends its threads."""
        self.window.close()

    def _counts(self) -> Counts:
        times = self._process.cpu_times()
        capture = self.window.pipeline.capture
        return Counts(
            at=time.monotonic(),
            captured=capture.delivered.count if capture else 0,
            painted=self.window.view.painted.count,
            missed=self.window.bridge.feed.missed,
            skipped=self.window.pipeline.skipped,
            cpu_s=times.user + times.system,
        )

    def _descriptors(self) -> int:
        """Open files, or handles where the system calls them so."""
        count = self._process.num_fds() if hasattr(self._process, "num_fds") else self._process.num_handles()
        return int(count)

    def _wait(self, predicate: Callable[[], object], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not predicate():
            if time.monotonic() > deadline:
                raise BenchFailed(f"The window cannot be measured: {complaint} within {PATIENCE_S:.0f} s.")
            self.let_run(0.02)


def _median(series: LatencySeries, now: float, span_s: float) -> float:
    _, values = series.values(now, last_s=span_s)
    return float(np.median(values)) if len(values) else float("nan")


def _sum(series: LatencySeries, now: float, span_s: float) -> float:
    _, values = series.values(now, last_s=span_s)
    return float(values.sum())


@contextmanager
def bench_window() -> Iterator[BenchWindow]:
    """A window that is closed, and its settings removed, at the end."""
    app = make_application(["edgecam"])
    with tempfile.TemporaryDirectory(prefix="edgecam-bench-") as folder:
        bench = BenchWindow(Path(folder))
        try:
            yield bench
        finally:
            bench.close()
            app.processEvents()


def time_start(choose: Callable[[MainWindow], None]) -> tuple[float, float | None]:
    """Builds the window, lets `choose` pick camera and model, and returns when (monotonic s) the first picture was
    painted and the first result came (None: within the patience of this function it did not).

    Raises:
        BenchFailed: no picture.
    """
    with bench_window() as bench:
        window = bench.window
        choose(window)
        painted_at = detected_at = None
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and (painted_at is None or detected_at is None):
            bench.let_run(0.002)
            if painted_at is None and window.view.painted.count:
                painted_at = time.monotonic()
            if detected_at is None and window.pipeline.detect.rate.count:
                detected_at = time.monotonic()
            if detected_at is None and window.pipeline.detect.status.message:
                break
    if painted_at is None:
        raise BenchFailed("The window painted no picture.")
    return painted_at, detected_at
