"""Geometry of boxes: overlap, suppression, and the way from a frame to a detector's input and back. NumPy only.

`boxes` are float32 (N, 4), xyxy; x2 and y2 are the right and lower edge (not the last pixel).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Boxes = NDArray[np.float32]


def clip(boxes: Boxes, size_wh: tuple[int, int]) -> Boxes:
    """`boxes` cut at the edges of a picture of `size_wh` pixels."""
    width, height = size_wh
    limit = np.array([width, height, width, height], np.float32)
    return np.minimum(np.maximum(boxes, np.float32(0)), limit)


def area(boxes: Boxes) -> NDArray[np.float32]:
    """(N,) areas in square pixels; 0 for boxes turned inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], np.float32(0))
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """(N, M) intersection over union of each of `a` with each of `b`; 0 where both have no area."""
    # Rows of one coordinate each, (4, N): a last axis of 2 would be slow; x and y together, since calls cost most.
    a, b = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
    sides = np.minimum(a[2:, :, None], b[2:, None])
    sides -= np.maximum(a[:2, :, None], b[:2, None])
    np.maximum(sides, np.float32(0), out=sides)
    inter: NDArray[np.float32] = sides[0] * sides[1]
    union = area(a.T)[:, None] + area(b.T) - inter
    np.divide(inter, union, out=inter, where=union > 0)
    return inter


def nms(
    boxes: Boxes,
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    *,
    iou_threshold: float,
    one_label_iou: float = 1.0,
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression within each class, then of what is left across classes.

    A box is dropped when it overlaps a kept one of its class, of higher score, by more than `iou_threshold` (0 to 1);
    of those left, when it overlaps a kept one of any class, of higher score, by more than `one_label_iou`.
    Returns the kept indices, highest score first; ties keep their order.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2 or min(iou_threshold, one_label_iou) >= 1:
        return order
    ordered, classes = boxes[order], class_ids[order]
    ratios = iou(ordered, ordered)
    kept = _unsuppressed((ratios > iou_threshold) & (classes[:, None] == classes), range(len(order)))
    if one_label_iou < 1:
        kept = _unsuppressed(ratios > one_label_iou, kept)
    return order[kept]


def _unsuppressed(overlaps: NDArray[np.bool_], candidates: Sequence[int]) -> list[int]:
    """Which of `candidates`, best first, overlap no better one that is kept itself; `overlaps` is (N, N)."""
    # A row as one whole number, a bit per box: a third of the time of arrays, where boxes are few.
    bits, width = np.packbits(overlaps, axis=1, bitorder="little").tobytes(), -(-len(overlaps) // 8)
    kept, suppressed = [], 0
    for row in candidates:
        if not suppressed >> row & 1:
            kept.append(row)
            suppressed |= int.from_bytes(bits[row * width : (row + 1) * width], "little")
    return kept


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The way of a frame into a detector's input: scaled, then placed on a padded canvas.

    Attributes:
        scale_x, scale_y: input pixels per frame pixel.
        left, top: where the scaled frame begins on the canvas, in input pixels.
        scaled_wh: the scaled frame's size in input pixels.
        input_wh: the canvas's size in pixels.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    scaled_wh: tuple[int, int]
    input_wh: tuple[int, int]

    @classmethod
    def fit(cls, frame_wh: tuple[int, int], input_wh: tuple[int, int], *, centred: bool = True) -> Letterbox:
        """The largest scaled frame that keeps its proportions, in the canvas's centre (or top left corner)."""
        (frame_w, frame_h), (input_w, input_h) = frame_wh, input_wh
        scale = min(input_w / frame_w, input_h / frame_h)
        w = min(input_w, max(1, round(frame_w * scale)))
        h = min(input_h, max(1, round(frame_h * scale)))
        left, top = ((input_w - w) // 2, (input_h - h) // 2) if centred else (0, 0)
        # The true scale of each axis: rounding to whole pixels makes them differ a little.
        return cls(w / frame_w, h / frame_h, left, top, (w, h), input_wh)

    @classmethod
    def stretch(cls, frame_wh: tuple[int, int], input_wh: tuple[int, int]) -> Letterbox:
        """The frame stretched over the whole canvas."""
        return cls(input_wh[0] / frame_wh[0], input_wh[1] / frame_wh[1], 0, 0, input_wh, input_wh)

    def to_input(self, boxes: Boxes) -> Boxes:
        """Boxes in frame pixels → boxes in input pixels."""
        return (boxes * self._scale + self._offset).astype(np.float32)

    def to_frame(self, boxes: Boxes) -> Boxes:
        """Boxes in input pixels → boxes in frame pixels."""
        return ((boxes - self._offset) / self._scale).astype(np.float32)

    @property
    def _scale(self) -> NDArray[np.float32]:
        return np.array([self.scale_x, self.scale_y, self.scale_x, self.scale_y], np.float32)

    @property
    def _offset(self) -> NDArray[np.float32]:
        return np.array([self.left, self.top, self.left, self.top], np.float32)
