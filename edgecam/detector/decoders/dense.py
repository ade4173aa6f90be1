"""One prediction per row: box, perhaps objectness, class scores (YOLOv5 … YOLO12), and YOLOX's undecoded form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import (
    Array,
    Request,
    corners,
    in_pixels,
    known_classes,
    matrix,
    pick,
    probabilities,
    sound,
    to_labels,
)
from edgecam.detector.description import Activation
from edgecam.detector.gfl import cell_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec


def decode_dense(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: one array, (1, 4 + C, N) or with `spec.rows` (1, N, 4 + C), after the box 1 more with objectness."""
    values = _columns(outputs[0], spec)
    class_ids, index, best = _pick(values, spec, request)
    box = in_pixels(corners(values[:4, index].T, spec.box), spec, request)
    return sound(box, best, class_ids)


def decode_grid(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """The same, where a box is its centre's offset from its cell and the logarithms of its sides, in cells."""
    values = _columns(outputs[0], spec)
    points, sizes = cell_points(request.input_hw, spec.strides, spec.cell_offset)
    if values.shape[1] != len(points):
        height, width = request.input_hw
        raise ValueError(f"{values.shape[1]} cells, expected {len(points)} for an input of {width}x{height}")
    class_ids, index, best = _pick(values, spec, request)
    stride = sizes[index, None]
    box = values[:4, index].T
    centre, half = points[index] + box[:, :2] * stride, np.exp(box[:, 2:]) * stride / 2
    return sound(np.concatenate([centre - half, centre + half], axis=1), best, class_ids)


def _columns(output: Array, spec: OutputSpec) -> Array:
    values = matrix(output)
    values = values.T if spec.rows else values
    if len(values) < 5 + spec.objectness:
        raise ValueError(f"{len(values)} values per prediction, expected a box and at least one class")
    return values


def _pick(values: Array, spec: OutputSpec, request: Request) -> tuple[Array, Array, Array]:
    scores, labels = known_classes(values[4 + spec.objectness :], spec)
    if not spec.objectness:
        if spec.activation is Activation.SOFTMAX:
            scores = probabilities(scores, spec.activation, axis=0)
        class_ids, index, best = pick(scores, request, logits=spec.activation is Activation.SIGMOID)
        return to_labels(class_ids, labels), index, best
    objectness = values[4]
    if spec.activation is Activation.SIGMOID:
        objectness = probabilities(objectness, spec.activation, axis=0)
    # A class's score is at most the objectness: only cells that may hold an object are looked at.
    likely = np.flatnonzero(objectness > request.score_floor)
    scores = probabilities(scores[:, likely], spec.activation, axis=0) * objectness[likely]
    class_ids, within, best = pick(scores, request)
    return to_labels(class_ids, labels), likely[within], best
