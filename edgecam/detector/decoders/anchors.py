"""Raw heads with anchor boxes: YOLOv5 and YOLOv7 without their last layer, and Yolo-FastestV2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import (
    Array,
    Request,
    best_of_levels,
    known_classes,
    pick,
    probabilities,
    sigmoid,
    sound,
    to_labels,
)
from edgecam.detector.description import Activation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec


def decode_anchors(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: a level each, (1, A, H, W, 5 + C) or (1, A * (5 + C), H, W): box, objectness, classes.

    Box as in YOLOv5: centre (2σ − 0.5) cells from the cell's corner, sides (2σ)² anchors.
    """
    _need_levels(outputs, spec)
    return best_of_levels(
        [
            _level(_anchor_rows(output, len(anchors)), stride, anchors, spec, request)
            for output, stride, anchors in zip(outputs, spec.strides, spec.anchors, strict=True)
        ],
        request,
    )


def decode_yolo_fastest(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: a level each, (1, H, W, 5 * A + C): boxes of all anchors, their objectness, classes they share."""
    _need_levels(outputs, spec)
    levels = []
    for output, stride, anchors in zip(outputs, spec.strides, spec.anchors, strict=True):
        values = _squeezed(output, 3)
        count = len(anchors)
        rows, columns, width = values.shape
        if width <= 5 * count:
            raise ValueError(f"{width} values per cell, expected {count} boxes and at least one class")
        boxes = values[..., : 4 * count].reshape(rows, columns, count, 4)
        objectness = values[..., 4 * count : 5 * count, None]
        classes = np.broadcast_to(values[..., None, 5 * count :], (rows, columns, count, width - 5 * count))
        table = np.concatenate([boxes, objectness, classes], axis=-1).transpose(2, 0, 1, 3)  # (A, H, W, 5 + C)
        levels.append(_level(table, stride, anchors, spec, request))
    return best_of_levels(levels, request)


def _need_levels(outputs: Sequence[Array], spec: OutputSpec) -> None:
    if not len(outputs) == len(spec.strides) == len(spec.anchors):
        raise ValueError(
            f"{len(outputs)} outputs, {len(spec.strides)} strides and anchors of {len(spec.anchors)} levels; "
            "there must be as many of each"
        )


def _squeezed(output: Array, axes: int) -> Array:
    while output.ndim > axes and output.shape[0] == 1:
        output = output[0]
    if output.ndim != axes:
        raise ValueError(f"an output of shape {output.shape}, expected {axes} axes")
    return output.astype(np.float32, copy=False)


def _anchor_rows(output: Array, anchors: int) -> Array:
    """(A, H, W, 5 + C), of either form."""
    if output.ndim == 5 or (output.ndim == 4 and output.shape[0] == anchors):
        values = _squeezed(output, 4)
    else:
        flat = _squeezed(output, 3)
        if flat.shape[0] % anchors:
            raise ValueError(f"{flat.shape[0]} channels for {anchors} anchors")
        values = flat.reshape(anchors, -1, *flat.shape[1:]).transpose(0, 2, 3, 1)
    if values.shape[0] != anchors or values.shape[-1] < 6:
        raise ValueError(f"an output of shape {output.shape}, expected {anchors} anchors of 5 + C values")
    return values


def _level(
    values: Array, stride: int, anchors: Sequence[tuple[float, float]], spec: OutputSpec, request: Request
) -> Detections:
    """Candidates of one level's (A, H, W, 5 + C)."""
    logits = spec.activation is Activation.SIGMOID
    objectness = sigmoid(values[..., 4]) if logits else values[..., 4]
    anchor, row, column = np.nonzero(objectness > request.score_floor)
    likely = values[anchor, row, column]  # (M, 5 + C)
    scores, labels = known_classes(likely[:, 5:].T, spec)
    scores = probabilities(scores, spec.activation, axis=0) * objectness[anchor, row, column]
    class_ids, index, best = pick(scores, request)
    box = sigmoid(likely[index, :4]) if logits else likely[index, :4]
    cell = np.stack([column[index], row[index]], axis=1)
    centre = (box[:, :2] * 2 - 0.5 + cell) * stride
    half = (box[:, 2:] * 2) ** 2 * np.array(anchors, np.float32)[anchor[index]] / 2
    return sound(np.concatenate([centre - half, centre + half], axis=1), best, to_labels(class_ids, labels))
