"""Photographs with cats and dogs, and what a detector says of them, written down by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecam.detections import Detections
from edgecam.evaluation.datasets.examples import Dataset, Example

LABELS = ("cat", "dog")


def example(boxes: list[list[float]], ids: list[int], difficult: list[bool] | None = None) -> Example:
    return Example(
        Path("x.png"),
        100,
        100,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(ids, np.int64),
        np.array(difficult or [False] * len(ids), np.bool_),
        frozenset({0, 1}),
    )


def dataset(*examples: Example, evaluated: tuple[int, ...] = (0, 1)) -> Dataset:
    return Dataset("toy", examples, LABELS, evaluated)


def found(boxes: list[list[float]], scores: list[float], ids: list[int]) -> Detections:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(corners, np.array(scores, np.float32), np.array(ids, np.int64))


CAT, DOG = [10.0, 10.0, 50.0, 50.0], [50.0, 50.0, 90.0, 90.0]
