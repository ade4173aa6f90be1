"""Runs a source with the chosen case and steps along the ladder as the governor says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraState
from edgecam.detector.detector import Detector
from edgecam.detector.selection import Selection
from edgecam.errors import CameraError, ModelError
from edgecam.fit.choice import name
from edgecam.fit.governor import Governor, Reading
from edgecam.pipeline.detect import DetectorState
from edgecam.pipeline.pipeline import Pipeline
from edgecam.system_load import LoadMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edgecam.bench.models import CaseResult
    from edgecam.camera.base import Camera
    from edgecam.fit.choice import Choice, Wish
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result

PERIOD_S = 1.0
RECENT_S = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the time line.

    Attributes:
        at_s: since the start.
        case: what runs, in words.
        per_second: detections.
        model_ms: what the model takes, median of two seconds.
        cpu_percent: of edgecam, 100 = all cores.
        temperature_c: of the processor; None where unknown.
        step: -1, 0 or +1, taken now.
        reason: of the step.
    """

    at_s: float
    case: str
    per_second: float
    model_ms: float
    cpu_percent: float
    temperature_c: float | None
    step: int = 0
    reason: str = ""


class FitWatch:
    """Keeps a pipeline at the wish. Implements `Listener`.

    Args:
        paths: the file of each model by its name.
        load: makes the detector of a case.
    """

    def __init__(
        self, choice: Choice, wish: Wish, paths: Mapping[str, Path],
        load: Callable[[Path, CaseResult], Detector] | None = None,
    ) -> None:  # fmt: skip
        self._choice, self._wish, self._paths = choice, wish, paths
        self._load = load or (lambda path, case: Detector(path, threads=case.threads, input_hw=case.input_hw))
        self._error: Exception | None = None
        self._ended = False

    def run(self, make_camera: Callable[[], Camera], duration_s: float, say: Callable[[Moment], None]) -> list[Moment]:
        """The time line, one moment per second; each is also told to `say`.

        Raises:
            CameraError, ModelError: source or model failed.
        """
        governor = Governor([case.inference_ms for case in self._choice.ladder], self._choice.index, self._wish)
        pipeline = Pipeline(self, Selection())
        moments: list[Moment] = []
        try:
            self._use(pipeline, governor.index)
            while pipeline.detect.detector is None and self._error is None:
                time.sleep(0.02)
            pipeline.show_camera(make_camera)
            load = LoadMeter()
            started = time.monotonic()
            while time.monotonic() - started < duration_s and self._error is None and not self._ended:
                time.sleep(PERIOD_S)
                moment = self._moment(pipeline, governor, load, time.monotonic() - started)
                if moment is not None:
                    moments.append(moment)
                    say(moment)
        finally:
            pipeline.stop()
        if self._error:
            raise self._error
        return moments

    def _moment(self, pipeline: Pipeline, governor: Governor, load: LoadMeter, at_s: float) -> Moment | None:
        times = pipeline.detect.stages["inference"].summary(last_s=RECENT_S)
        used = load.read()
        if times is None:
            return None
        case = name(self._choice.ladder[governor.index])
        per_second = pipeline.detect.rate.rate()
        offered = pipeline.capture.camera.mode.fps if pipeline.capture and pipeline.capture.camera.mode else None
        step = governor.observe(
            Reading(at_s, times.median_ms, per_second, offered, used.temperature_c, used.cpu_percent)
        )
        if step:
            self._use(pipeline, governor.index)
        return Moment(
            at_s, case, per_second, times.median_ms, used.cpu_percent, used.temperature_c, step,
            governor.reason if step else "",
        )  # fmt: skip

    def _use(self, pipeline: Pipeline, index: int) -> None:
        case = self._choice.ladder[index]
        path = self._paths[case.model]
        pipeline.detect.change(case.model, lambda: self._load(path, case))

    # Listener, in worker threads

    def frame_arrived(self, frame: Frame) -> None:
        """Nothing is shown."""

    def result_arrived(self, result: Result) -> None:
        """What counts is how long it took, which the pipeline notes."""

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        if status.state is CameraState.FAILED:
            self._error = CameraError(status.message)
        self._ended = status.state is CameraState.ENDED

    def camera_refused(self, camera: Camera, message: str) -> None:
        self._error = CameraError(message)

    def detector_changed(self, status: DetectorStatus) -> None:
        if status.state is DetectorState.FAILED:
            self._error = ModelError(status.message)
