"""What `edgecam bench pipeline` measures, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgecam.detector.model_library import ModelEntry


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
