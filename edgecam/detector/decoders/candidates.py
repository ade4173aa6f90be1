"""What all decoders share: picking the cells worth decoding, the shapes of outputs, and the four numbers of a box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detections import Detections
from edgecam.detector.description import Activation, BoxFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.detector.description import OutputSpec

Array = Any  # an ndarray of the model's own dtype


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a decoder.

    Attributes:
        input_hw: the input's (height, width) in pixels.
        score_floor: candidates below it are left out, 0 to 1.
        multi_label: each class of a cell above the floor is a candidate (as COCO's AP wants it), instead of the
            cell's best class alone (as a viewer wants it).
        max_candidates: at most so many, those of highest score.
    """

    input_hw: tuple[int, int]
    score_floor: float = 0.05
    multi_label: bool = False
    max_candidates: int = 1000


Picked = tuple["NDArray[np.intp]", "NDArray[np.intp]", "NDArray[np.float32]"]


def pick(scores: Array, request: Request, *, logits: bool = False) -> Picked:
    """The candidates among scores (C, N): their classes, cells and scores (probabilities), each (M,).

    Args:
        logits: a sigmoid is still to be taken; it is, of the candidates alone.
    """
    floor = np.float32(_logit(request.score_floor) if logits else request.score_floor)
    if request.multi_label:
        class_ids, index = np.nonzero(scores > floor)
    else:
        index = np.flatnonzero((scores > floor).any(axis=0))  # twice as quick as the greatest of each cell
        class_ids = scores[:, index].argmax(axis=0) if len(index) else index
    best = scores[class_ids, index]
    if len(best) > request.max_candidates:
        top = np.argpartition(-best, request.max_candidates)[: request.max_candidates]
        class_ids, index, best = class_ids[top], index[top], best[top]
    if logits:
        best = sigmoid(best)
    return class_ids, index, best


def _logit(score: float) -> float:
    """The number whose sigmoid is `score`, 0 to 1."""
    return math.log(score / (1 - score)) if 0 < score < 1 else math.inf * (score - 0.5)


def sigmoid(values: Array) -> Array:
    return np.float32(1) / (np.float32(1) + np.exp(-values))


def softmax(values: Array, axis: int) -> Array:
    weights = np.exp(values - values.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def probabilities(scores: Array, activation: Activation, *, axis: int) -> Array:
    """Scores of any activation as probabilities; classes along `axis`."""
    if activation is Activation.SIGMOID:
        return sigmoid(scores)
    return softmax(scores, axis) if activation is Activation.SOFTMAX else scores


def matrix(array: Array) -> Array:
    """`array` without its leading axes of length 1, down to two axes.

    Raises:
        ValueError: it has more than two that count.
    """
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2:
        raise ValueError(f"an output of shape {array.shape}, expected (N, values)")
    return _float32(array)


def vector(array: Array) -> Array:
    """`array` with one axis, (N,); a last axis of length 1 counts as none."""
    if array.ndim > 1 and array.shape[-1] == 1 and array.size > 1:
        array = array[..., 0]
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 1:
        raise ValueError(f"an output of shape {array.shape}, expected (N,)")
    return array


def box_rows(array: Array) -> Array:
    """Boxes as (N, 4) or more numbers per row, whatever axes of length 1 lie between."""
    if array.ndim < 2 or array.shape[-1] < 4:
        raise ValueError(f"an output of shape {array.shape}, expected boxes (N, 4)")
    return _float32(array.reshape(-1, array.shape[-1]))


def _float32(array: Array) -> Array:
    return array if array.dtype == np.float32 else array.astype(np.float32)


def corners(box: Array, kind: BoxFormat) -> Array:
    """(M, 4) numbers of `kind` → xyxy."""
    if kind is BoxFormat.XYXY:
        return box
    if kind is BoxFormat.YXYX:
        return box[:, [1, 0, 3, 2]]
    start, size = box[:, :2], box[:, 2:]
    if kind is BoxFormat.CXCYWH:
        start = start - size / 2
    return np.concatenate([start, start + size], axis=1)


def in_pixels(box: Array, spec: OutputSpec, request: Request) -> Array:
    """xyxy in input pixels, of boxes that may be fractions of the input's sides."""
    if not spec.normalized:
        return box
    height, width = request.input_hw
    return box * np.array([width, height, width, height], np.float32)


def known_classes(scores: Array, spec: OutputSpec) -> tuple[Array, NDArray[np.int64] | None]:
    """Scores (C, N) of the classes that have a label, and the label of each row; None where the row is the label.

    Raises:
        ValueError: there are fewer classes than `spec.class_ids` says.
    """
    if not spec.class_ids:
        return scores, None
    labels = np.array(spec.class_ids, np.int64)
    if len(scores) != len(labels):
        raise ValueError(f"{len(scores)} classes, expected {len(labels)}")
    rows = np.flatnonzero(labels >= 0)
    return scores[rows], labels[rows]


def to_labels(class_ids: Array, labels: NDArray[np.int64] | None) -> Array:
    return class_ids if labels is None else labels[class_ids]


def sound(box: Array, scores: Array, class_ids: Array) -> Detections:
    """Detections of those boxes that are finite, not turned inside out, and have a score and a class."""
    box, scores = box.astype(np.float32, copy=False), scores.astype(np.float32, copy=False)
    class_ids = class_ids.astype(np.int64, copy=False)
    # One number that is none would show in the sum; nearly always all is well, and nothing need be picked.
    if (
        math.isfinite(box.sum() + scores.sum())
        and (box[:, 2:] >= box[:, :2]).all()
        and class_ids.min(initial=0) >= 0
        and scores.max(initial=0) <= 1
    ):
        return Detections(box, scores, class_ids)
    keep = np.isfinite(box).all(axis=1) & np.isfinite(scores) & (class_ids >= 0)
    keep &= (box[:, 2:] >= box[:, :2]).all(axis=1)
    return Detections(box[keep], np.minimum(scores[keep], np.float32(1)), class_ids[keep])


def best_of_levels(levels: Sequence[Detections], request: Request) -> Detections:
    """The candidates of all levels; at most so many as wanted, the best."""
    found = Detections(
        np.concatenate([level.boxes for level in levels]),
        np.concatenate([level.scores for level in levels]),
        np.concatenate([level.class_ids for level in levels]),
    )
    if len(found) <= request.max_candidates:
        return found
    return found[np.argpartition(-found.scores, request.max_candidates)[: request.max_candidates]]
