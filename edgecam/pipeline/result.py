"""What the detector thread gives for one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgecam.detections import Detections
    from edgecam.detector.inference import Inference
    from edgecam.frames import Frame


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds of each stage; `wait_ms` from the frame's capture until the detector took it."""

    wait_ms: float
    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float

    @property
    def detector_ms(self) -> float:
        """Time the detector itself took: preprocess, inference and postprocess."""
        return self.preprocess_ms + self.inference_ms + self.postprocess_ms


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Detections of one frame.

    Attributes:
        frame: the frame they belong to.
        inference: every box before the user's choice, also of lower scores than that.
        detections: what the user's choice left of them.
        labels: the model's class names.
        times: of each stage.
        finished_at: when they were ready (monotonic s).
        generation: of the frame slot when the frame was taken: an older one belongs to a former camera.
    """

    frame: Frame
    inference: Inference
    detections: Detections
    labels: tuple[str, ...]
    times: StageTimes
    finished_at: float
    generation: int
