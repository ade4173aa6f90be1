"""VOC's average precision at IoU 0.5: the area under the precision-recall curve, difficult objects left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam import boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.detections import Detections
    from edgecam.evaluation.datasets.examples import Dataset

IOU = 0.5


def voc_ap50(dataset: Dataset, found: Sequence[Detections]) -> float:
    """Mean over the classes that occur, in per cent; NaN where none does."""
    scores = [ap for class_id in dataset.evaluated if (ap := class_ap50(dataset, found, class_id)) is not None]
    return 100 * float(np.mean(scores)) if scores else float("nan")


def class_ap50(dataset: Dataset, found: Sequence[Detections], class_id: int) -> float | None:
    """0 to 1; None where the class has no object that counts."""
    count, scores, hits = 0, [], []
    for example, detections in zip(dataset.examples, found, strict=True):
        mine = example.class_ids == class_id
        count += int((mine & ~example.difficult).sum())
        chosen = detections[detections.class_ids == class_id]
        order = np.argsort(-chosen.scores, kind="stable")
        hit, counted = _match(chosen.boxes[order], example.boxes[mine], example.difficult[mine])
        scores.append(chosen.scores[order][counted])
        hits.append(hit[counted])
    if not count:
        return None
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return _area(np.concatenate(hits)[order], count)


def _match(
    ours: NDArray[np.float32], truth: NDArray[np.float32], difficult: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each detection, best first: whether it is a hit, and whether it counts at all."""
    hit, counted = np.zeros(len(ours), np.bool_), np.ones(len(ours), np.bool_)
    taken = np.zeros(len(truth), np.bool_)
    if not len(truth):
        return hit, counted
    overlaps = boxes.iou(ours, truth)
    for row, overlap in enumerate(overlaps):
        best = int(overlap.argmax())
        if overlap[best] < IOU:
            continue
        if difficult[best]:
            counted[row] = False
        elif not taken[best]:
            taken[best] = hit[row] = True
    return hit, counted


def _area(hits: NDArray[np.bool_], count: int) -> float:
    """Area under the precision-recall curve with precision made monotonous, as VOC since 2010."""
    positives = np.cumsum(hits)
    recall = positives / count
    precision = positives / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * envelope))
