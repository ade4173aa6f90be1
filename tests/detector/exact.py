"""Asking decoders for exact boxes: the request, and what comes out in a form that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.decoders.candidates import Request
from edgecam.detector.description import Activation

if TYPE_CHECKING:
    from edgecam.detections import Detections

HW = (64, 96)  # 12 x 8 cells of stride 8, 6 x 4 of 16, 3 x 2 of 32
CELLS = 96 + 24 + 6
ASK = Request(HW, score_floor=0.1)
NONE = Activation.NONE


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def in_order(found: Detections) -> tuple[list[list[float]], list[float], list[int]]:
    """Boxes, scores and classes, best first."""
    order = np.argsort(-found.scores, kind="stable")
    return (
        np.round(found.boxes[order].astype(float), 3).tolist(),
        np.round(found.scores[order].astype(float), 4).tolist(),
        found.class_ids[order].tolist(),
    )


def f32(values: Any) -> np.ndarray:
    return np.array(values, np.float32)
