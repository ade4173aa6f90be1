"""Runs a source with the chosen case and steps along the ladder as the keeper says."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraState
from edgecam.detector.selection import Selection
from edgecam.errors import CameraError, ModelError
from edgecam.fit.keeper import PERIOD_S, Keeper, Moment
from edgecam.pipeline.detect import DetectorState
from edgecam.pipeline.pipeline import Pipeline
from edgecam.system_load import LoadMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.bench.models import CaseResult
    from edgecam.camera.base import Camera
    from edgecam.detector.detector import Detector
    from edgecam.fit.burden import Burden
    from edgecam.fit.choice import Choice, Wish
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result


class FitWatch:
    """Keeps a pipeline at the wish. Implements `Listener`.

    Args:
        load: makes the detector of a case.
        burden: lies on the program in the middle third of the time.
    """

    def __init__(
        self, choice: Choice, wish: Wish, load: Callable[[CaseResult], Detector], burden: Burden | None = None
    ) -> None:
        self._choice, self._wish, self._load, self._burden = choice, wish, load, burden
        self._error: Exception | None = None
        self._ended = False

    def run(self, make_camera: Callable[[], Camera], duration_s: float, say: Callable[[Moment], None]) -> list[Moment]:
        """The time line, one moment per second; each is also told to `say`.

        Raises:
            CameraError, ModelError: source or model failed.
            BurdenFailed: this system does not allow the burden.
        """
        keeper = Keeper(self._choice, self._wish)
        pipeline = Pipeline(self, Selection())
        moments: list[Moment] = []
        try:
            self._use(pipeline, keeper.case)
            while pipeline.detect.detector is None and self._error is None:
                time.sleep(0.02)
            pipeline.show_camera(make_camera)
            load = LoadMeter()
            started = time.monotonic()
            while (at_s := time.monotonic() - started) < duration_s and self._error is None and not self._ended:
                burden = self._carry(duration_s / 3 <= at_s < duration_s * 2 / 3)
                time.sleep(PERIOD_S)
                moment = keeper.look(pipeline, load.read(), time.monotonic() - started)
                if moment is None:
                    continue
                if moment.step:
                    self._use(pipeline, keeper.case)
                moments.append(replace(moment, burden=burden))
                say(moments[-1])
        finally:
            self._carry(False)
            pipeline.stop()
        if self._error:
            raise self._error
        return moments

    def _carry(self, loaded: bool) -> str:
        """Lays the burden on or takes it off; returns what lies on the program now."""
        if self._burden is None:
            return ""
        if loaded:
            self._burden.lay_on()
            return self._burden.name
        self._burden.take_off()
        return ""

    def _use(self, pipeline: Pipeline, case: CaseResult) -> None:
        pipeline.detect.change(case.model, lambda: self._load(case))

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
