"""Recognising raw heads in the form of maps: YOLOv5, YOLOv7 and Yolo-FastestV2 with their anchor boxes, FastestDet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.description import Activation, Decoder, OutputSpec
from edgecam.detector.recognition.cells import activation_of, listed
from edgecam.detector.recognition.match import BGR_STRETCHED, YOLO, Hints, Match, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

ANCHORS_V5 = (
    ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
    ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
    ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
)
ANCHORS_V7 = (
    ((12.0, 16.0), (19.0, 36.0), (40.0, 28.0)),
    ((36.0, 75.0), (76.0, 55.0), (72.0, 146.0)),
    ((142.0, 110.0), (192.0, 243.0), (459.0, 401.0)),
)
ANCHORS_YOLO_FASTEST = (
    ((12.64, 19.39), (37.88, 51.48), (55.71, 138.31)),
    ((126.91, 78.23), (131.57, 214.55), (279.92, 258.87)),
)


def match_anchors(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Raw heads of three anchors per cell, or Yolo-FastestV2's."""
    for strides, anchors in (((8, 16, 32), ANCHORS_V5), ((16, 32), ANCHORS_YOLO_FASTEST)):
        if len(outputs) != len(strides):
            continue
        heights = {-(-hints.input_hw[0] // stride): stride for stride in strides}
        named: dict[int, tuple[str, int, bool]] = {}
        for output in outputs:
            head = _raw_head(output.shape, heights)
            if head is not None:
                named[head[0]] = (output.name, head[1], head[2])
        if sorted(named) != list(strides) or len({values for _, values, _ in named.values()}) != 1:
            continue
        names = tuple(named[stride][0] for stride in strides)
        _, width, last = named[strides[0]]
        scores = np.concatenate([np.asarray(output.array, np.float32).ravel() for output in outputs])
        spec = OutputSpec(Decoder.ANCHORS, names, strides, activation=activation_of(scores), anchors=anchors)
        if len(strides) == 3 and width > 5:
            reason = f"three heads of three anchors per cell, strides {listed(strides)}"
            return Match("YOLOv5/YOLOv7, raw", spec, YOLO, width - 5, (reason,), (Question.ANCHORS,))
        if len(strides) == 2 and last and width > 15:
            spec = OutputSpec(Decoder.YOLO_FASTEST, names, strides, activation=Activation.NONE, anchors=anchors)
            reason = f"two heads of three boxes, their objectness and {width - 15} shared classes per cell"
            return Match("Yolo-FastestV2", spec, BGR_STRETCHED, width - 15, (reason,))
    return None


def _raw_head(shape: tuple[int, ...], heights: dict[int, int]) -> tuple[int, int, bool] | None:
    """(stride, values per anchor or cell, values are the last axis) of a head's shape."""
    if len(shape) == 4 and shape[0] == 3 and shape[1] in heights:
        return heights[shape[1]], shape[3], True
    if len(shape) == 3 and shape[0] % 3 == 0 and shape[1] in heights and shape[0] not in heights:
        return heights[shape[1]], shape[0] // 3, False
    if len(shape) == 3 and shape[0] in heights:
        return heights[shape[0]], shape[2], True
    return None


def match_fastestdet(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """One map (5 + C, H, W)."""
    for output in outputs:
        if len(outputs) != 1 or len(output.shape) != 3 or output.shape[0] < 6:
            continue
        channels, rows, columns = output.shape
        if (rows, columns) == (hints.input_hw[0] // 16, hints.input_hw[1] // 16):
            spec = OutputSpec(Decoder.FASTESTDET, (output.name,), (16,), activation=Activation.NONE)
            return Match("FastestDet", spec, BGR_STRETCHED, channels - 5, (f"one map of {channels} values, stride 16",))
    return None
