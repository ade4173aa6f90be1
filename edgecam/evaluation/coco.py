"""COCO's average precision (and AP50, by size, per class) by pycocotools, from our own examples and detections."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.evaluation.spread import draws_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.detections import Detections
    from edgecam.evaluation.datasets.examples import Dataset

MAX_DETECTIONS = 100


@dataclass(frozen=True)
class Accuracy:
    """All in per cent; NaN where the ground truth has no object of that kind.

    Attributes:
        per_class: label to (AP, AP50).
        precision: AP's precision at IoU 0.5, (101 recall levels, classes), -1 where a class has no object.
        draws: (AP, AP50) of photographs drawn again, float64 (N, 2), see `draws_of`; (0, 2) where not asked for.
    """

    ap: float
    ap50: float
    ap_small: float
    ap_medium: float
    ap_large: float
    per_class: dict[str, tuple[float, float]]
    precision: NDArray[np.float64]
    draws: NDArray[np.float64]

    def __str__(self) -> str:
        return f"AP {self.ap:.1f}  AP50 {self.ap50:.1f}"


def judge(dataset: Dataset, found: Sequence[Detections], *, draws: int = 0) -> Accuracy:
    """Compare detections (one per example, frame pixels = the file's) with the ground truth of `dataset`.

    Only classes that the data set can judge count; difficult objects and crowds are neither hits nor misses.

    Args:
        draws: how often to judge again with photographs drawn with replacement.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth = COCO()
        truth.dataset = _ground_truth(dataset)
        truth.createIndex()
        rows = _rows(dataset, found)
        if not len(rows) or not truth.dataset["annotations"]:
            return _nothing(dataset)
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.params.catIds = list(dataset.evaluated)
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]  # (10 IoU, 101 recall, K classes, 4 areas, 3 limits)
    if not (precision[:, :, :, 0, 2] > -1).any():
        return _nothing(dataset)
    means = [_mean(precision[:, :, :, area, 2]) for area in range(4)]
    classes = {
        dataset.labels[class_id]: (_mean(precision[:, :, k, 0, 2]), _mean(precision[0, :, k, 0, 2]))
        for k, class_id in enumerate(evaluation.params.catIds)
    }
    return Accuracy(
        means[0], _mean(precision[0, :, :, 0, 2]), means[1], means[2], means[3], classes, precision[0, :, :, 0, 2],
        draws_of(evaluation, draws),
    )  # fmt: skip


def _mean(precision: NDArray[np.float64]) -> float:
    known = precision[precision > -1]
    return float(known.mean()) * 100 if known.size else float("nan")


def _nothing(dataset: Dataset) -> Accuracy:
    present = {int(c) for e in dataset.examples for c, d in zip(e.class_ids, e.difficult, strict=True) if not d}
    score = 0.0 if present & set(dataset.evaluated) else float("nan")
    nan = float("nan")
    classes = {dataset.labels[c]: (0.0, 0.0) if c in present else (nan, nan) for c in dataset.evaluated}
    none = np.full((101, len(dataset.evaluated)), -1.0)
    return Accuracy(score, score, nan, nan, nan, classes, none, np.zeros((0, 2)))


def _ground_truth(dataset: Dataset) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for image_id, example in enumerate(dataset.examples, 1):
        for box, class_id, difficult in zip(example.boxes, example.class_ids, example.difficult, strict=True):
            x1, y1, x2, y2 = (float(v) for v in box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(class_id),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": int(difficult),  # VOC's difficult as COCO's crowd: ignored, never a false positive
                    "ignore": int(difficult),
                }
            )
    images = [{"id": i, "width": e.width, "height": e.height} for i, e in enumerate(dataset.examples, 1)]
    categories = [{"id": c, "name": dataset.labels[c]} for c in dataset.evaluated]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def _rows(dataset: Dataset, found: Sequence[Detections]) -> NDArray[np.float64]:
    """pycocotools' table: image id, x, y, width, height, score, class."""
    tables = []
    for image_id, detections in enumerate(found, 1):
        keep = np.isin(detections.class_ids, dataset.evaluated)
        best = detections[keep]
        boxes = best.boxes.astype(np.float64)
        wh = boxes[:, 2:] - boxes[:, :2]
        ids = np.full((len(best), 1), image_id)
        tables.append(np.hstack([ids, boxes[:, :2], wh, best.scores[:, None], best.class_ids[:, None]]))
    return np.concatenate(tables) if tables else np.zeros((0, 7))
