"""Raw heads whose boxes are offsets from anchor boxes: EfficientDet and its kin."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import (
    Array,
    Request,
    best_of_levels,
    known_classes,
    matrix,
    pick,
    sound,
    to_labels,
)
from edgecam.detector.description import Activation, BoxFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec

Anchors = tuple[tuple[tuple[float, float], ...], ...]  # of each level, (width, height) in input pixels


@lru_cache(maxsize=16)
def anchor_boxes(input_hw: tuple[int, int], strides: tuple[int, ...], anchors: Anchors) -> NDArray[np.float32]:
    """(N, 4) centre, width and height in input pixels of all anchors: level, row, column, anchor.

    Cells share the input equally: where a side is no multiple of a stride, the cells are a little smaller.
    """
    levels = []
    for stride, sides in zip(strides, anchors, strict=True):
        rows, columns = -(-input_hw[0] // stride), -(-input_hw[1] // stride)
        y, x, which = np.mgrid[:rows, :columns, : len(sides)]
        x, y = (x + 0.5) * (input_hw[1] / columns), (y + 0.5) * (input_hw[0] / rows)
        levels.append(np.concatenate([np.stack([x, y], -1), np.array(sides)[which]], axis=-1).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def decode_offsets(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: class scores and box offsets of all anchors, (1, N, C) and (1, N, 4); or of L levels, first the scores
    (1, A * C, H, W), then the offsets (1, A * 4, H, W), channels last with `spec.rows`.

    A centre lies (dx, dy) anchor sides from the anchor's; sides are exp(dw, dh) of the anchor's.
    """
    if len(spec.strides) != len(spec.anchors):
        raise ValueError(f"{len(spec.strides)} strides and anchors of {len(spec.anchors)} levels")
    levels = len(outputs) // 2
    if len(outputs) % 2 or levels not in {1, len(spec.strides)}:
        raise ValueError(f"{len(outputs)} outputs, expected 2, or 2 for each of {len(spec.strides)} levels")
    anchors = anchor_boxes(request.input_hw, spec.strides, spec.anchors)
    found, start = [], 0
    for level in range(levels):
        scores, offsets = outputs[level], outputs[levels + level]
        if levels > 1:
            count = len(spec.anchors[level])
            scores, offsets = _anchor_rows(scores, count, spec), _anchor_rows(offsets, count, spec)
        scores, offsets = matrix(scores), matrix(offsets)
        if offsets.shape[1] != 4 or len(offsets) != len(scores):
            raise ValueError(f"scores of shape {scores.shape} and offsets of shape {offsets.shape}")
        found.append(_level(scores, offsets, anchors[start : start + len(scores)], spec, request))
        start += len(scores)
    if start != len(anchors):
        height, width = request.input_hw
        raise ValueError(f"{start} anchors, expected {len(anchors)} for an input of {width}x{height}")
    return best_of_levels(found, request)


def _anchor_rows(output: Array, anchors: int, spec: OutputSpec) -> Array:
    """(H * W * A, values) of one level's map."""
    if output.ndim != 4 or output.shape[0] != 1:
        raise ValueError(f"an output of shape {output.shape}, expected a map (1, …)")
    cells = output[0] if spec.rows else output[0].transpose(1, 2, 0)
    if cells.shape[2] % anchors:
        raise ValueError(f"{cells.shape[2]} values per cell for {anchors} anchors")
    return cells.reshape(cells.shape[0] * cells.shape[1] * anchors, cells.shape[2] // anchors)


def _level(scores: Array, offsets: Array, anchors: Array, spec: OutputSpec, request: Request) -> Detections:
    if len(anchors) != len(scores):
        raise ValueError(f"{len(scores)} predictions for {len(anchors)} anchors")
    table, labels = known_classes(scores.T, spec)
    class_ids, index, best = pick(table, request, logits=spec.activation is Activation.SIGMOID)
    offset, anchor = offsets[index], anchors[index]
    if spec.box is BoxFormat.YXYX:
        offset = offset[:, [1, 0, 3, 2]]
    centre = anchor[:, :2] + offset[:, :2] * anchor[:, 2:]
    half = np.exp(offset[:, 2:]) * anchor[:, 2:] / 2
    return sound(np.concatenate([centre - half, centre + half], axis=1), best, to_labels(class_ids, labels))
