"""How fast each model is on this machine, with each input size and number of threads, measured in turns."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from edgecam.bench.accuracy import AccuracyAt, Known, accuracy_at, accuracy_text
from edgecam.detector.detector import Detector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edgecam.detector.model_library import ModelEntry

SLICE_S = 0.5


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure: a model with an input of about `input_hw`'s area (None: its own) and so many threads."""

    entry: ModelEntry
    threads: int
    input_hw: tuple[int, int] | None = None

    @property
    def model(self) -> str:
        return self.entry.name


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case gave.

    Attributes:
        model, threads: of the case.
        input_hw: the input really used for the frames measured with.
        median_ms, p95_ms: one detection, from frame to candidates.
        inference_ms: median of the model alone.
        per_second: detections one after the other.
        cpu_percent: processor time while it runs, 100 = one core.
        memory_mb: what loading and running it added to the process.
        ratio: its speed by that of the first case, the median of ratios within a round.
        accuracy: what the file tells of itself at this size; None where it tells nothing of it.
        accuracy_known: how that is known (see `Known`).
        precision: of its arithmetic, as the file says.
    """

    model: str
    threads: int
    input_hw: tuple[int, int]
    median_ms: float
    p95_ms: float
    inference_ms: float
    per_second: float
    cpu_percent: float
    memory_mb: float
    ratio: float = 1.0
    accuracy: float | None = None
    precision: str = ""
    accuracy_known: str = Known.MEASURED.value

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What makes it the same case in another run."""
        return self.model, *self.input_hw, self.threads

    @property
    def accuracy_text(self) -> str:
        """As tables show it."""
        return accuracy_text(AccuracyAt(self.accuracy, Known(self.accuracy_known)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CaseResult:
        """Reads what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of the wrong kind.
        """
        height, width = data["input_hw"]
        Known(data.get("accuracy_known", Known.MEASURED.value))
        return cls(**{**data, "input_hw": (int(height), int(width))})


@dataclass(slots=True)
class _Runner:
    """A loaded case and what it has measured."""

    case: Case
    detector: Detector
    memory_mb: float
    times_ms: list[float] = field(default_factory=list)
    inference_ms: list[float] = field(default_factory=list)
    medians_ms: list[float] = field(default_factory=list)  # of each round
    cpu_s: float = 0.0
    wall_s: float = 0.0

    def run(self, images: Sequence[NDArray[np.uint8]], seconds: float) -> None:
        """One slice: as many frames as fit, at least one."""
        times: list[float] = []
        floor = self.detector.description.thresholds.score  # as the window asks for
        cpu, started = time.process_time(), time.perf_counter()
        while not times or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            inference = self.detector(images[len(times) % len(images)], floor=floor)
            times.append((time.perf_counter() - begun) * 1e3)
            self.inference_ms.append(inference.inference_ms)
        self.cpu_s += time.process_time() - cpu
        self.wall_s += time.perf_counter() - started
        self.times_ms += times
        self.medians_ms.append(statistics.median(times))

    def result(self, first: _Runner) -> CaseResult:
        median, p95 = np.percentile(self.times_ms, [50, 95])
        spec = self.detector.description.input
        own_hw = (spec.height, spec.width) if spec.height and spec.width else spec.sizes[0]
        accuracy = accuracy_at(self.detector.description.accuracy, self.case.input_hw or own_hw, own_hw)
        return CaseResult(
            model=self.case.model,
            threads=self.case.threads,
            input_hw=self.detector.input_hw or (0, 0),
            median_ms=float(median),
            p95_ms=float(p95),
            inference_ms=statistics.median(self.inference_ms),
            per_second=len(self.times_ms) / self.wall_s,
            cpu_percent=self.cpu_s / self.wall_s * 100,
            memory_mb=self.memory_mb,
            ratio=statistics.median(a / b for a, b in zip(first.medians_ms, self.medians_ms, strict=True)),
            accuracy=accuracy.value,
            precision=self.detector.description.precision,
            accuracy_known=accuracy.known.value,
        )


def measure_models(
    cases: Sequence[Case],
    images: Sequence[NDArray[np.uint8]],
    *,
    rounds: int,
    say: Callable[[str], None] = lambda _: None,
    slice_s: float = SLICE_S,
) -> list[CaseResult]:
    """Runs all cases in turns, in a new order each round, so that noise falls on all alike.

    Args:
        images: uint8 (H, W, 3) BGR, all of one size.

    Raises:
        ModelError: one cannot be loaded or run.
    """  # fmt: skip
    process = psutil.Process()
    runners = []
    for case in cases:
        say(f"loading {case.model}, {case.threads} threads")
        before = process.memory_info().rss
        detector = Detector.of(case.entry, threads=case.threads, input_hw=case.input_hw)
        for _ in range(2):
            detector(images[0])
        runners.append(_Runner(case, detector, max(0.0, (process.memory_info().rss - before) / 1e6)))
    order = random.Random(0)
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        for runner in order.sample(runners, len(runners)):
            runner.run(images, slice_s)
    return [runner.result(runners[0]) for runner in runners]
