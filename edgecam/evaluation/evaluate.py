"""Runs a model file, as the application loads it, over photographs with ground truth."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.boxes import clip
from edgecam.detections import Detections
from edgecam.detector.detector import Detector
from edgecam.detector.selection import Selection
from edgecam.errors import DataError
from edgecam.evaluation.coco import Accuracy, judge
from edgecam.evaluation.datasets.pictures import read_picture
from edgecam.evaluation.spread import DRAWS
from edgecam.evaluation.voc import voc_ap50

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgecam.detector.model_library import ModelEntry
    from edgecam.evaluation.datasets.examples import Dataset

SCORE_FLOOR = 0.01
PAD_VALUE = 114  # as the networks are trained
SELECTION = Selection(score_threshold=SCORE_FLOOR, iou_threshold=0.6, max_detections=100)


@dataclass(frozen=True)
class Report:
    """Attributes:
    voc_ap50: VOC's own AP50, in per cent.
    skipped: photographs that could not be read, with the reason; they count as photographs without detections.
    """

    model: str
    data: str
    photographs: int
    input_hw: tuple[int, int] | None
    accuracy: Accuracy
    voc_ap50: float
    skipped: tuple[str, ...]


def open_detector(entry: ModelEntry, input_hw: tuple[int, int] | None, threads: int | None) -> Detector:
    """The project's own loader with the settings under which COCO's AP is measured."""
    # A data set knows a bundled model's classes by their own names, whatever the user calls them.
    sidecar: dict[str, object] | None = {} if entry.bundled else None
    return Detector.of(
        entry, sidecar=sidecar, threads=threads, input_hw=input_hw, score_floor=SCORE_FLOOR, multi_label=True
    )


def frame(picture: NDArray[np.uint8], input_hw: tuple[int, int]) -> tuple[NDArray[np.uint8], int, int]:
    """The picture amid grey of the input's proportions, so that the detector chooses that shape; its left and top."""
    height, width = picture.shape[:2]
    aspect = input_hw[1] / input_hw[0]
    full_h, full_w = max(height, round(width / aspect)), max(width, round(height * aspect))
    top, left = (full_h - height) // 2, (full_w - width) // 2
    canvas = np.full((full_h, full_w, 3), PAD_VALUE, np.uint8)
    canvas[top : top + height, left : left + width] = picture
    return canvas, left, top


def evaluate(
    detector: Detector,
    dataset: Dataset,
    *,
    input_hw: tuple[int, int] | None = None,
    square: bool = True,
    progress: Callable[[], object] | None = None,
) -> Report:
    """Judge a detector on a data set.

    Args:
        input_hw: the size that the detector was opened with; None for the one its file recommends.
        square: every photograph in an input of that very shape; otherwise, where the file leaves it open, in the shape
            that the application would choose for it.

    Raises:
        DataError: no photograph could be read.
        ModelError: the model fails.
    """
    found, skipped = [], []
    spec = detector.description.input
    base = input_hw or spec.sizes[0]
    framed = square and spec.height is None and spec.width is None
    for example in dataset.examples:
        try:
            picture = read_picture(example.path)
        except DataError as error:
            skipped.append(str(error))
            found.append(Detections.empty())
        else:
            canvas, left, top = frame(picture, base) if framed else (picture, 0, 0)
            best = SELECTION.apply(detector(canvas).candidates)
            boxes = clip(best.boxes - np.array([left, top] * 2, np.float32), (picture.shape[1], picture.shape[0]))
            factor = np.array([example.width / picture.shape[1], example.height / picture.shape[0]] * 2, np.float32)
            found.append(dataclasses.replace(best, boxes=boxes * factor))
        if progress is not None:
            progress()
    if len(skipped) == len(dataset.examples):
        raise DataError(f"{dataset.name}: none of its {len(skipped)} photographs could be read; {skipped[:1]}")
    return Report(
        detector.path.stem,
        dataset.name,
        len(dataset),
        detector.input_hw,
        judge(dataset, found, draws=DRAWS),
        voc_ap50(dataset, found),
        tuple(skipped),
    )
