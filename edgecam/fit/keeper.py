"""Watches a pipeline that runs a chosen case, and says when to step along the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraState
from edgecam.fit.choice import name
from edgecam.fit.governor import Governor, Reading
from edgecam.pipeline.detect import DetectorState

if TYPE_CHECKING:
    from edgecam.bench.models import CaseResult
    from edgecam.fit.choice import Choice, Wish
    from edgecam.pipeline.pipeline import Pipeline
    from edgecam.system_load import SystemLoad

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
        burden: what makes it hard for the program at this moment, where that is on purpose.
    """

    at_s: float
    case: str
    per_second: float
    model_ms: float
    cpu_percent: float
    temperature_c: float | None
    step: int = 0
    reason: str = ""
    burden: str = ""


class Keeper:
    """Keeps to a wish; whoever has it looks about once per second and loads `case` after each step."""

    def __init__(self, choice: Choice, wish: Wish) -> None:
        self._choice = choice
        self._governor = Governor([case.inference_ms for case in choice.ladder], choice.index, wish)

    @property
    def index(self) -> int:
        """The step of the ladder that should run now."""
        return self._governor.index

    @property
    def case(self) -> CaseResult:
        """What should run now."""
        return self._choice.ladder[self._governor.index]

    def look(self, pipeline: Pipeline, load: SystemLoad, at_s: float) -> Moment | None:
        """What is seen at `at_s` seconds, with the step that follows; None while nothing can be said."""
        capture, detect = pipeline.capture, pipeline.detect
        times = detect.stages["inference"].summary(last_s=RECENT_S)
        live = capture is not None and capture.status.state is CameraState.LIVE
        if capture is None or not live or detect.status.state is not DetectorState.READY or times is None:
            self._governor.rest(at_s)
            return None
        case, per_second = name(self.case), detect.rate.rate()
        mode = capture.camera.mode
        step = self._governor.observe(
            Reading(at_s, times.median_ms, per_second, mode.fps if mode else None, load.temperature_c, load.cpu_percent)
        )
        return Moment(
            at_s, case, per_second, times.median_ms, load.cpu_percent, load.temperature_c, step,
            self._governor.reason if step else "",
        )  # fmt: skip
