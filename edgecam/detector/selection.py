"""What of a detector's candidates is shown: score, overlap and class, changed by the user at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam import boxes

if TYPE_CHECKING:
    from edgecam.detections import Detections


@dataclass(frozen=True, slots=True)
class Selection:
    """A user's choice.

    Attributes:
        score_threshold: lowest score shown, 0 to 1.
        iou_threshold: overlap above which the weaker of two boxes of one class is a repetition, 0 to 1.
        class_ids: the classes shown; None for all.
        max_detections: at most so many boxes, the best first.
        one_label_iou: overlap above which boxes of *different* classes are the same thing, and only the best is shown:
            a viewer wants one label for a cat, not "cat" over "dog". 1 switches it off, as COCO's AP wants it.
    """

    score_threshold: float = 0.4
    iou_threshold: float = 0.6
    class_ids: frozenset[int] | None = None
    max_detections: int = 100
    one_label_iou: float = 1.0

    def apply(self, candidates: Detections) -> Detections:
        """The chosen `candidates`, highest score first."""
        mask = candidates.scores >= self.score_threshold
        if self.class_ids is not None:
            mask &= np.isin(candidates.class_ids, np.fromiter(self.class_ids, np.int64, len(self.class_ids)))
        chosen = candidates[mask]
        keep = boxes.nms(
            chosen.boxes,
            chosen.scores,
            chosen.class_ids,
            iou_threshold=self.iou_threshold,
            one_label_iou=self.one_label_iou,
        )
        return chosen[keep[: self.max_detections]]


# For a viewer: boxes of two classes that cover each other this much are one thing with two guesses.
VIEWER_ONE_LABEL_IOU = 0.8
