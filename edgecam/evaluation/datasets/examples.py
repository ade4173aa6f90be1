"""One photograph with what is known about it; boxes are float32 (N, 4) xyxy in pixels of the file."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


def no_boxes() -> NDArray[np.float32]:
    return np.zeros((0, 4), np.float32)


def no_ids() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Example:
    """Attributes:
    boxes, class_ids: the ground truth, class ids of the network's labels.
    difficult: bool (N,): boxes that are neither to be found nor wrong to find (VOC's difficult, COCO's crowds).
    labelled: the class ids that were looked for in this photograph; an object of another class may be there unlabelled.
    teacher_boxes, teacher_ids, teacher_scores: detections of better models, or empty.
    taught: better models have looked at it for every class.
    """

    path: Path
    width: int
    height: int
    boxes: NDArray[np.float32] = field(default_factory=no_boxes)
    class_ids: NDArray[np.int64] = field(default_factory=no_ids)
    difficult: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    labelled: frozenset[int] = frozenset()
    teacher_boxes: NDArray[np.float32] = field(default_factory=no_boxes)
    teacher_ids: NDArray[np.int64] = field(default_factory=no_ids)
    teacher_scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    taught: bool = False

    def __post_init__(self) -> None:
        if not len(self.boxes) == len(self.class_ids) == len(self.difficult):
            raise ValueError(
                f"{self.path}: {len(self.boxes)} boxes, {len(self.class_ids)} classes, {len(self.difficult)} flags"
            )


def tidy(example: Example, source: str) -> Example:
    """Clip the ground truth to the picture and drop what is left without an area; says so in the log."""
    limit = np.array([example.width, example.height] * 2, np.float32)
    boxes = np.clip(np.nan_to_num(example.boxes), 0, limit).astype(np.float32)
    sound = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    if not sound.all():
        logger.warning("%s: dropped %d boxes without an area inside the picture", source, int((~sound).sum()))
    return dataclasses.replace(
        example, boxes=boxes[sound], class_ids=example.class_ids[sound], difficult=example.difficult[sound]
    )


@dataclass(frozen=True)
class Dataset:
    """The photographs of one source; `labels` are the network's, `evaluated` those ids that its ground truth judges."""

    name: str
    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    evaluated: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.examples)
