"""What the whole program adds to bare inference, in short turns, so that noise falls on both.

Detections per second say what a user gets on this machine, which the program's other threads share with the model;
processor time per detection says what a detection itself costs more, whoever else runs.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam import resources
from edgecam.bench.bare import BareLoop, Pace
from edgecam.bench.figures import Figure
from edgecam.bench.loop_camera import LoopCamera, sample_frames
from edgecam.camera.opening import camera_for
from edgecam.detector.detector import Detector
from edgecam.detector.preprocess import choose_input_hw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.bench.plan import Plan
    from edgecam.camera.base import Camera
    from edgecam.gui.bench_window import BenchWindow, Span

CLIP_FPS = 30.0
FRAMES_IN_MEMORY = 24
SATURATION = 1.15  # a source faster than the detector by this factor keeps it busy all the time
OUTRUN = 0.8  # a model is slower than the clip when it makes at most this share of its rate
OUTRUN_SIDES = (320, 480, 640, 800, 1024)
SETTLE_S = 1.5


@dataclass(frozen=True, slots=True)
class Turn:
    """One comparison: the program, and what bare onnxruntime did around it."""

    span: Span
    bare: Pace

    @property
    def speed(self) -> float:
        """Detections by bare inferences per second."""
        return self.span.detected / self.bare.rate

    @property
    def work(self) -> float:
        """Processor time of the detector's threads per detection by that of a bare inference.

        Not a number where there was no detection, and where the system does not tell.
        """
        if not self.span.detected:
            return math.nan
        spent_ms = self.span.cpu_groups.get("detector", math.nan) * 10 / self.span.detected  # 1 % of a core is 10 ms/s
        return spent_ms / self.bare.cpu_ms


class ThroughputBench:
    """Four sources: one that saturates the detector, the demo clip, a file, and the clip with a slower model."""

    def __init__(self, window: BenchWindow, plan: Plan, say: Callable[[str], None]) -> None:
        self._window, self._plan, self._say = window, plan, say

    def figures(self) -> list[Figure]:
        images = sample_frames(resources.demo_clip(), FRAMES_IN_MEMORY)
        detector, bare = self._pair(images, None)
        fps = max(CLIP_FPS, SATURATION * max(bare.as_fast_as_it_goes(0.5).rate for _ in range(5)))
        ways: dict[str, tuple[str, Callable[[], Camera]]] = {
            "saturated": (f"source of {fps:.0f} fps", lambda: LoopCamera(images, fps=fps, live=True)),
            "paced": ("demo clip at 30 fps", lambda: camera_for("demo")),
            "file": ("file, as fast as it goes", lambda: LoopCamera(images, fps=math.inf, live=False)),
        }
        self._window.use_detector(detector.name, lambda: detector)
        figures = []
        for way, (source, make_camera) in ways.items():
            figures += self._compare(way, source, make_camera, bare)
        return figures + self._outrun(images)

    def _outrun(self, images: Sequence[NDArray[np.uint8]]) -> list[Figure]:
        """The demo at its own rate with a model slower than that, as on most boards: by a large enough input."""
        for side in OUTRUN_SIDES:
            detector, bare = self._pair(images, (side, side))
            if bare.as_fast_as_it_goes(0.5).rate < OUTRUN * CLIP_FPS:
                return self._outrun_by(detector, bare, side)
        return []  # an input of fixed size, and a model too fast for this

    def _outrun_by(self, detector: Detector, bare: BareLoop, side: int) -> list[Figure]:
        self._window.use_detector(detector.name, lambda: detector)
        source = f"demo clip at 30 fps, input as large as {side} x {side}"
        return self._compare("outrun", source, lambda: camera_for("demo"), bare)

    def _pair(self, images: Sequence[NDArray[np.uint8]], base_hw: tuple[int, int] | None) -> tuple[Detector, BareLoop]:
        """The detector, and bare inference of the same model on the same input."""
        plan = self._plan
        detector = Detector.of(plan.model, threads=plan.threads, input_hw=base_hw)
        spec, frame_wh = detector.description.input, (images[0].shape[1], images[0].shape[0])
        input_hw = choose_input_hw(spec, frame_wh, base_hw or spec.sizes[0])
        limits = detector.limits
        return detector, BareLoop(plan.model.path, spec, images, threads=plan.threads, input_hw=input_hw, limits=limits)

    def _compare(self, way: str, source: str, make_camera: Callable[[], Camera], bare: BareLoop) -> list[Figure]:
        self._window.show_camera(make_camera)
        self._window.let_run(SETTLE_S)
        turns = []
        for turn in range(self._plan.rounds):
            self._say(f"detections per second, {source}: {turn + 1} of {self._plan.rounds}")
            turns.append(self._turn(bare, way))
        return throughput_figures(way, source, turns)

    def _turn(self, bare: BareLoop, way: str) -> Turn:
        """The program between two halves of bare inference, for which it stands still."""

        def alone() -> Pace:
            self._window.pause(True)
            seconds = self._plan.segment_s / 2
            return bare.paced(seconds, CLIP_FPS) if way == "paced" else bare.as_fast_as_it_goes(seconds)

        before = alone()
        self._window.pause(False)
        span = self._window.measure(self._plan.segment_s)
        after = alone()
        return Turn(span, Pace((before.rate + after.rate) / 2, (before.cpu_ms + after.cpu_ms) / 2))


def throughput_figures(way: str, source: str, turns: Sequence[Turn]) -> list[Figure]:
    """Detections per second by those of bare inference, and what the program adds to each inference itself."""
    ours, bare, painted, cpu_ms = (
        statistics.median(values)
        for values in zip(*((t.span.detected, t.bare.rate, t.span.painted, t.bare.cpu_ms) for t in turns), strict=True)
    )
    stages = {name: statistics.median(turn.span.stages_ms[name] for turn in turns) for name in turns[0].span.stages_ms}
    figures = [
        Figure(f"throughput_{way}", f"detections/s by bare session.run, {source}",
               statistics.median(turn.speed for turn in turns), "", 0.95, True,
               note=f"median {ours:.1f} of {bare:.1f} per second; {painted:.1f} painted per second; ratios "
                    + " ".join(f"{turn.speed:.2f}" for turn in turns)),
    ]  # fmt: skip
    works = [turn.work for turn in turns if math.isfinite(turn.work)]
    if works:
        figures.append(
            Figure(f"work_{way}", "processor time of a detection by that of a bare session.run",
                   statistics.median(works), "", 1.05,
                   note=f"of the detector's threads; bare {cpu_ms:.1f} ms; ratios "
                        + " ".join(f"{work:.2f}" for work in works))
        )  # fmt: skip
    if way == "saturated":
        idle = 1 - statistics.median(turn.span.model_busy for turn in turns)
        own = (stages["preprocess"] + stages["postprocess"]) / stages["inference"]
        note = ", ".join(f"{name} {ms:.2f}" for name, ms in stages.items())
        figures.append(
            Figure("model_idle", "share of time for which the model waits for the program", idle, "", 0.05,
                   note=f"milliseconds: {note}; pre- and postprocess, done beside it, are {own:.1%} of inference")
        )  # fmt: skip
    return figures
