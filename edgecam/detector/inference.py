"""What a detector makes of one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.detections import Detections

T = TypeVar("T")


class Runner(Protocol):
    """Who runs the model: calls what it is given, in whatever thread, and returns what that returns or raises."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


def run_here(work: Callable[[], T], /) -> T:
    """In the caller's own thread."""
    return work()


@dataclass(frozen=True, slots=True)
class Inference:
    """What one frame gave.

    Attributes:
        candidates: every box of at least the wanted score, in frame pixels, before suppression.
        preprocess_ms, inference_ms, postprocess_ms: time of each stage.
        turn_ms: time for which the prepared frame waited until the model began with it.
        floor: the lowest score of `candidates`, 0 to 1.
        decode: makes the candidates of another score from the model's outputs; None where `candidates` are all.
    """

    candidates: Detections
    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float
    turn_ms: float = 0.0
    floor: float = 0.0
    decode: Callable[[float], Detections] | None = None

    def above(self, score: float) -> Detections:
        """The candidates of at least `score`, and perhaps some below; never any below the detector's own floor.

        Most frames are looked at with one threshold: what lies below it is decoded only when it is asked for.
        """
        return self.candidates if score >= self.floor or self.decode is None else self.decode(score)
