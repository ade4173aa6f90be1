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
SCORE: Final = "score"
CLASS: Final = "class"


def decode_rows(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: one array (1, N, K); `spec.columns` says what its K columns hold."""
    rows = matrix(outputs[0])
    columns = spec.columns
    if rows.shape[1] != len(columns):
        raise ValueError(f"{rows.shape[1]} values per box, expected {len(columns)} ({', '.join(columns)})")
    centres = "cx" in columns
    order = [columns.index(name) for name in (CENTRES if centres else CORNERS)]
    rows = rows[_best(rows[:, columns.index(SCORE)], request)]
    box = corners(rows[:, order], BoxFormat.CXCYWH if centres else BoxFormat.XYXY)
    class_ids = _labels_of(rows[:, columns.index(CLASS)], spec)
    return sound(in_pixels(box, spec, request), rows[:, columns.index(SCORE)], class_ids)


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
    """`outputs`: boxes (1, N, 4) and class scores (1, N, C), or with the classes first where `spec.rows` is unset."""
    box, scores = box_rows(outputs[0]), matrix(outputs[1])
    scores = scores.T if spec.rows else scores
    if scores.shape[1] != len(box):
        raise ValueError(f"{len(box)} boxes and scores of shape {scores.shape[::-1]}")
    if spec.activation is Activation.SOFTMAX:  # over all classes, those without a label too
        scores = probabilities(scores, spec.activation, axis=0)
    scores, labels = known_classes(scores, spec)
    class_ids, index, best = pick(scores, request, logits=spec.activation is Activation.SIGMOID)
    found = in_pixels(corners(box[index, :4], spec.box), spec, request)
    return sound(found, best, to_labels(class_ids, labels))


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
