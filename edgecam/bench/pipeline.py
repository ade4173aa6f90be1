"""The whole program against its targets: detections, picture, memory, processor time and start, side by side."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam import resources
from edgecam.bench.bare import BareLoop
from edgecam.bench.figures import Figure
from edgecam.bench.loop_camera import LoopCamera, sample_frames
from edgecam.bench.slow_detector import SlowDetector
from edgecam.bench.starting import Start, import_times, measure_start
from edgecam.bench.trend import trend
from edgecam.camera.opening import camera_for
from edgecam.detector.detector import Detector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.camera.base import Camera
    from edgecam.detector.model_library import ModelEntry
    from edgecam.gui.bench_window import BenchWindow, Span

CLIP_FPS = 30.0
FRAMES_IN_MEMORY = 24
SATURATION = 1.15  # a source faster than the detector by this factor keeps it busy all the time
SETTLE_S = 1.5
SLOW_S = 0.3
MAX_GROWTH_MB = 5.0  # over the whole span: what the allocator's own pools come and go by


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure and for how long.

    Attributes:
        model, threads: the detector's model and threads.
        rounds, segment_s: of the comparison with bare inference: so many rounds, each way for so long in each.
        duration_s: with the slow detector.
        view_s: without a detector.
        starts: processes started.
        start_options: handed to them.
    """

    model: ModelEntry
    threads: int
    rounds: int = 10
    segment_s: float = 1.6
    duration_s: float = 180.0
    view_s: float = 15.0
    starts: int = 3
    start_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One comparison: the program, and the inferences per second that bare onnxruntime reached around it."""

    span: Span
    bare: float


class PipelineBench:
    """Runs one plan in one window; each part returns its figures.

    Args:
        say: told what is under way.
    """

    def __init__(self, window: BenchWindow, plan: Plan, say: Callable[[str], None]) -> None:
        self._window, self._plan, self._say = window, plan, say

    def throughput(self) -> list[Figure]:
        """Detections per second of the program against bare inference, in short turns, so that noise falls on both."""
        plan = self._plan
        images = sample_frames(resources.demo_clip(), FRAMES_IN_MEMORY)
        detector = Detector.of(plan.model, threads=plan.threads)
        bare = BareLoop(
            plan.model.path, detector.description.input, images, threads=plan.threads, limits=detector.limits
        )
        fps = max(CLIP_FPS, SATURATION * max(bare.as_fast_as_it_goes(0.5) for _ in range(5)))
        ways: dict[str, tuple[str, Callable[[], Camera]]] = {
            "saturated": (f"source of {fps:.0f} fps", lambda: LoopCamera(images, fps=fps, live=True)),
            "paced": ("demo clip at 30 fps", lambda: camera_for("demo")),
            "file": ("file, as fast as it goes", lambda: LoopCamera(images, fps=math.inf, live=False)),
        }
        self._window.use_detector(detector.name, lambda: detector)
        figures = []
        for way, (source, make_camera) in ways.items():
            self._window.show_camera(make_camera)
            self._window.let_run(SETTLE_S)
            turns = []
            for turn in range(plan.rounds):
                self._say(f"detections per second, {source}: {turn + 1} of {plan.rounds}")
                turns.append(self._turn(bare, way))
            figures += throughput_figures(way, source, turns)
        return figures

    def _turn(self, bare: BareLoop, way: str) -> Turn:
        """The program between two halves of bare inference, for which it stands still."""

        def alone() -> float:
            self._window.pause(True)
            seconds = self._plan.segment_s / 2
            return bare.paced(seconds, CLIP_FPS) if way == "paced" else bare.as_fast_as_it_goes(seconds)

        before = alone()
        self._window.pause(False)
        span = self._window.measure(self._plan.segment_s)
        return Turn(span, (before + alone()) / 2)

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


def throughput_figures(way: str, source: str, turns: Sequence[Turn]) -> list[Figure]:
    """Detections per second by those of bare inference, and what the program adds to each inference itself."""
    ratio = statistics.median(turn.span.detected / turn.bare for turn in turns)
    ours, bare, painted = (
        statistics.median(values)
        for values in zip(*((t.span.detected, t.bare, t.span.painted) for t in turns), strict=True)
    )
    stages = {name: statistics.median(turn.span.stages_ms[name] for turn in turns) for name in turns[0].span.stages_ms}
    figures = [
        Figure(f"throughput_{way}", f"detections/s by bare session.run, {source}", ratio, "", 0.95, True,
               note=f"median {ours:.1f} of {bare:.1f} per second; {painted:.1f} painted per second; ratios "
                    + " ".join(f"{turn.span.detected / turn.bare:.2f}" for turn in turns)),
    ]  # fmt: skip
    if way == "saturated":
        idle = 1 - statistics.median(turn.span.model_busy for turn in turns)
        own = (stages["preprocess"] + stages["postprocess"]) / stages["inference"]
        note = ", ".join(f"{name} {ms:.2f}" for name, ms in stages.items())
        figures.append(
            Figure("model_idle", "share of time for which the model waits for the program", idle, "", 0.05,
                   note=f"milliseconds: {note}; pre- and postprocess, done beside it, are {own:.1%} of inference")
        )  # fmt: skip
    return figures


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
