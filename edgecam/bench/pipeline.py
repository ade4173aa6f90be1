"""The whole program against its targets: detections, picture, memory, processor time and start, side by side."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from edgecam.bench.figures import Figure
from edgecam.bench.slow_detector import SlowDetector
from edgecam.bench.starting import Start, import_times, measure_start
from edgecam.bench.throughput import CLIP_FPS, SETTLE_S, ThroughputBench
from edgecam.bench.trend import trend
from edgecam.camera.opening import camera_for
from edgecam.detector.detector import Detector

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.bench.plan import Plan
    from edgecam.gui.bench_window import BenchWindow, Span

SLOW_S = 0.3
MAX_GROWTH_MB = 5.0  # over the whole span: what the allocator's own pools come and go by


class PipelineBench:
    """Runs one plan in one window; each part returns its figures.

    Args:
        say: told what is under way.
    """

    def __init__(self, window: BenchWindow, plan: Plan, say: Callable[[str], None]) -> None:
        self._window, self._plan, self._say = window, plan, say

    def throughput(self) -> list[Figure]:
        """Detections per second of the program against bare inference."""
        return ThroughputBench(self._window, self._plan, self._say).figures()

    def slow_detector(self) -> list[Figure]:
        """The picture and the memory while a detector takes 300 ms of work per frame."""
        plan = self._plan

        def load() -> SlowDetector:
            slow = SlowDetector.of(plan.model, threads=plan.threads)
            slow.duration_s = SLOW_S
            return slow

        self._window.use_detector("slowed", load)
        self._window.show_camera(lambda: camera_for("demo"))
        self._window.let_run(max(SETTLE_S, min(20.0, plan.duration_s / 6)))
        span = self._window.measure(
            plan.duration_s, progress=lambda s: self._say(f"detector of 300 ms: {s:.0f} of {plan.duration_s:.0f} s")
        )
        period_ms = 1000 / CLIP_FPS
        ages = np.array(span.age_ms) / period_ms
        median, p95 = np.percentile(ages, [50, 95]) if len(ages) else (float("nan"), float("nan"))
        growth = trend(*zip(*span.memory, strict=True)) if span.memory else trend([], [])
        counted = (
            f"{span.captured:.2f} captured, {span.painted:.2f} painted, {span.detected:.2f} detected per second; "
            f"{span.missed} missed by the display, {span.skipped} skipped by the detector in {span.seconds:.0f} s"
        )
        return [
            Figure("slow_picture_rate", "picture rate by source rate, detector of 300 ms",
                   span.painted / CLIP_FPS, "", 0.98, True, note=counted),
            Figure("slow_age_p95", "age of the picture when painted, p95", float(p95), "frame periods", 1.5,
                   note=f"median {median:.2f}"),
            Figure("slow_memory_growth", f"memory growth over {span.seconds:.0f} s", growth.total, "MB", MAX_GROWTH_MB,
                   note=f"{growth.per_minute:+.2f} MB per minute; {span.memory[0][1]:.0f} MB at first, "
                        f"{span.memory[-1][1]:.0f} MB at last"),
        ]  # fmt: skip

    def soak(self) -> list[Figure]:
        """The window with its detector on the demo for long: nothing may grow."""
        plan = self._plan
        self._window.use_detector("detector", lambda: Detector.of(plan.model, threads=plan.threads))
        self._window.show_camera(lambda: camera_for("demo"))
        self._window.let_run(max(SETTLE_S, min(60.0, plan.duration_s / 6)))
        span = self._window.measure(
            plan.duration_s, progress=lambda s: self._say(f"soak: {s:.0f} of {plan.duration_s:.0f} s")
        )
        growth = trend(*zip(*span.memory, strict=True))
        start, end = span.memory[0][1], span.memory[-1][1]
        return [
            Figure("soak_memory_growth", f"memory growth over {span.seconds:.0f} s", growth.total, "MB", MAX_GROWTH_MB,
                   note=f"{growth.per_minute * 60:+.1f} MB per hour; {start:.0f} MB at first, {end:.0f} MB at last; "
                        f"{span.painted:.1f} painted and {span.detected:.1f} detected per second, {span.missed} missed "
                        f"by the display, {span.skipped} skipped by the detector"),
            Figure("soak_threads", "more threads", float(span.threads[1] - span.threads[0]), "", 2.0,
                   note=f"{span.threads[0]}, then {span.threads[1]} (decoders come and go with each round)"),
            Figure("soak_descriptors", "more open files", float(span.descriptors[1] - span.descriptors[0]), "", 2.0,
                   note=f"{span.descriptors[0]}, then {span.descriptors[1]}"),
        ]  # fmt: skip

    def view_alone(self) -> list[Figure]:
        """Processor time of the picture alone, and of the paused window."""
        self._window.use_detector("", None)
        self._window.show_camera(lambda: camera_for("demo"))
        self._window.let_run(SETTLE_S)
        self._say("the picture alone")
        span = self._window.measure(self._plan.view_s)
        cost, note = self._cost_of_panel()
        self._window.pause(True)
        self._window.let_run(SETTLE_S)
        self._say("paused")
        idle = self._window.measure(min(10.0, self._plan.view_s))
        self._window.pause(False)
        return [
            Figure("view_cpu", "picture alone, 720p at 30 fps", span.cpu_percent, "% of a core", 25.0,
                   note=f"{span.painted:.1f} painted per second; {_groups(span)}"),
            Figure("panel_cpu", "performance panel, off to on", cost, "% of a core", 2.0, note=note),
            Figure("idle_cpu", "paused", idle.cpu_percent, "% of a core", 2.0, note=_groups(idle)),
        ]  # fmt: skip

    def _cost_of_panel(self) -> tuple[float, str]:
        """What the performance panel adds, switched off and on in turns; percent of a core, and how it came about."""
        costs = []
        for turn in range(self._plan.rounds):
            self._say(f"performance panel: {turn + 1} of {self._plan.rounds}")
            used = []
            for shown in (False, True):
                self._window.show_performance(shown)
                used.append(self._window.measure(self._plan.segment_s).cpu_percent)
            costs.append(used[1] - used[0])
        self._window.show_performance(False)
        return statistics.median(costs), "turns: " + " ".join(f"{cost:+.1f}" for cost in costs)


def start_figures(plan: Plan, say: Callable[[str], None]) -> list[Figure]:
    """How long the program takes to start, each time in a process of its own."""
    starts: list[Start] = []
    for turn in range(plan.starts):
        say(f"start {turn + 1} of {plan.starts}")
        starts.append(measure_start(list(plan.start_options)))
    say("imports")
    heaviest = list(import_times().items())[:6]
    detections = [start.detection_s for start in starts if start.detection_s is not None]
    first_boxes = f"first boxes after {statistics.median(detections):.2f} s" if detections else "no boxes"
    return [
        Figure("start_to_picture", "first picture after the imports",
               statistics.median(start.picture_s for start in starts), "s", 1.5, note=first_boxes),
        Figure("imports", "imports", statistics.median(start.imports_s for start in starts), "s",
               note="heaviest, in ms: " + ", ".join(f"{name} {ms:.0f}" for name, ms in heaviest) if heaviest else ""),
    ]  # fmt: skip


def _groups(span: Span) -> str:
    return ", ".join(f"{name} {percent:.1f} %" for name, percent in span.cpu_groups.items())
