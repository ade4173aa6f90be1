"""Boxes that the graph itself has decoded: in rows, in lists apart, or beside the scores of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edgecam.detector.decoders.candidates import (
    Array,
    Request,
    box_rows,
    corners,
    in_pixels,
    known_classes,
    matrix,
    pick,
    probabilities,
    sigmoid,
    sound,
    to_labels,
    vector,
)
from edgecam.detector.description import Activation, BoxFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec

# What a column of ROWS may hold.
CORNERS: Final = ("x1", "y1", "x2", "y2")
CENTRES: Final = ("cx", "cy", "w", "h")
CORNER_AND_SIZE: Final = ("x1", "y1", "w", "h")
SCORE: Final = "score"
CLASS: Final = "class"


def decode_rows(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: one array (1, N, K); `spec.columns` says what they hold; without a class all are of the first."""
    rows = matrix(outputs[0])
    columns = spec.columns
    if rows.shape[1] != len(columns):
        raise ValueError(f"{rows.shape[1]} values per box, expected {len(columns)} ({', '.join(columns)})")
    names, kind = CORNERS, BoxFormat.XYXY
    if "w" in columns:
        names, kind = (CENTRES, BoxFormat.CXCYWH) if "cx" in columns else (CORNER_AND_SIZE, BoxFormat.XYWH)
    order = [columns.index(name) for name in names]
    scores = rows[:, columns.index(SCORE)]
    if spec.activation is Activation.SIGMOID:
        scores = sigmoid(scores)
    keep = _best(scores, request)
    rows = rows[keep]
    box = corners(rows[:, order], kind)
    classes = rows[:, columns.index(CLASS)] if CLASS in columns else np.zeros(len(rows), np.float32)
    return sound(in_pixels(box, spec, request), scores[keep], _labels_of(classes, spec))


def decode_lists(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: boxes (1, N, 4), scores (1, N), classes (1, N); or boxes with their score (1, N, 5), classes."""
    box = box_rows(outputs[0])
    scores = box[:, 4] if len(outputs) == 2 else vector(outputs[1]).astype(np.float32, copy=False)
    classes = vector(outputs[-1])
    if not len(box) == len(scores) == len(classes):
        raise ValueError(f"{len(box)} boxes, {len(scores)} scores and {len(classes)} classes")
    if spec.activation is Activation.SIGMOID:
        scores = sigmoid(scores)
    keep = _best(scores, request)
    found = in_pixels(corners(box[keep, :4], spec.box), spec, request)
    return sound(found, scores[keep], _labels_of(classes[keep], spec))


def decode_boxes_scores(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: boxes (1, N, 4) and class scores (1, N, C), or with the classes first where `spec.rows` is unset.

    Scores of one class may be (1, N); boxes may be (1, 4, N).
    """
    scores = outputs[1]
    scores = matrix(scores.reshape(1, -1) if scores.ndim == 1 else scores)
    scores = scores.T if spec.rows else scores
    box = _boxes_of(outputs[0], scores.shape[1])
    if scores.shape[1] != len(box):
        raise ValueError(f"{len(box)} boxes and scores of shape {scores.shape[::-1]}")
    if spec.activation is Activation.SOFTMAX:  # over all classes, those without a label too
        scores = probabilities(scores, spec.activation, axis=0)
    scores, labels = known_classes(scores, spec)
    class_ids, index, best = pick(scores, request, logits=spec.activation is Activation.SIGMOID)
    found = in_pixels(corners(box[index, :4], spec.box), spec, request)
    return sound(found, best, to_labels(class_ids, labels))


def _boxes_of(array: Array, count: int) -> Array:
    """(N, 4) or more numbers; of (4, N) the columns."""
    if array.ndim >= 2 and array.shape[-2:] == (4, count) and array.size == 4 * count and count != 4:
        array = array.reshape(4, count).T
    return box_rows(array)


def _best(scores: Array, request: Request) -> Array:
    """Indices of the rows above the floor; at most so many as wanted, the best."""
    index = np.flatnonzero(scores > request.score_floor)
    if len(index) > request.max_candidates:
        best = scores[index]
        index = index[np.argpartition(-best, request.max_candidates)[: request.max_candidates]]
    return index


def _labels_of(classes: Array, spec: OutputSpec) -> Array:
    """Class numbers, whatever their type, as indices into the labels; -1 where there is none."""
    numbers = np.where(np.isfinite(classes) & (np.abs(classes) < 2**31), classes, -1)
    class_ids = np.rint(numbers).astype(np.int64)
    if not spec.class_ids:
        return class_ids
    labels = np.array(spec.class_ids, np.int64)
    inside = (class_ids >= 0) & (class_ids < len(labels))
    return np.where(inside, labels[np.where(inside, class_ids, 0)], -1)
