"""Recognising EfficientDet's raw heads, per level or joined, and the anchors that its authors use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.offsets import Anchors, anchor_boxes
from edgecam.detector.description import BoxFormat, Decoder, OutputSpec, Resize
from edgecam.detector.recognition.cells import activation_of, cells_of
from edgecam.detector.recognition.match import IMAGENET_MEAN, IMAGENET_STD, Convention, Hints, Match, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

STRIDES = (8, 16, 32, 64, 128)
OCTAVES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
RATIOS = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))  # width, height
PER_CELL = len(OCTAVES) * len(RATIOS)
SCALES = (3.0, 4.0)  # of an anchor, in cells: Lite0 to Lite2; the others
LITE_SMALL, LITE = (320, 384, 448), (320, 384, 448, 512, 640)
EFFICIENTDET_LITE = Convention(
    mean=(127.0,) * 3, std=(128.0,) * 3, resize=Resize.LETTERBOX_TOP_LEFT, pad_value=127, iou=0.5
)
EFFICIENTDET = Convention(
    mean=IMAGENET_MEAN, std=IMAGENET_STD, resize=Resize.LETTERBOX_TOP_LEFT, pad_value=115, iou=0.5
)


def efficientdet_anchors(input_hw: tuple[int, int], scale: float) -> Anchors:
    """(width, height) of the nine anchors of each level."""
    height, width = input_hw
    levels = []
    for stride in STRIDES:
        cell_h, cell_w = height / -(-height // stride), width / -(-width // stride)
        levels.append(
            tuple((scale * cell_w * octave * w, scale * cell_h * octave * h) for octave in OCTAVES for w, h in RATIOS)
        )
    return tuple(levels)


@dataclass(frozen=True, slots=True)
class _Heads:
    scores: tuple[Output, ...]
    boxes: tuple[Output, ...]
    classes: int
    channels_last: bool


def match_efficientdet(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Class scores and offsets of nine anchors per cell of strides 8 to 128; what else there is is left alone."""
    heads = _joined(outputs, hints) or _per_level(outputs, hints)
    if heads is None:
        return None
    told = _told_scale(outputs, hints)
    small = max(hints.input_hw) in LITE_SMALL
    values = np.concatenate([np.asarray(one.array, np.float32).ravel() for one in heads.scores])
    spec = OutputSpec(
        Decoder.OFFSETS,
        tuple(one.name for one in (*heads.scores, *heads.boxes)),
        STRIDES,
        activation=activation_of(values),
        rows=heads.channels_last,
        box=BoxFormat.YXYX,
        anchors=efficientdet_anchors(hints.input_hw, told or SCALES[0 if small else 1]),
    )
    lite = heads.channels_last and max(hints.input_hw) in LITE and len(heads.scores) > 1
    reasons = (
        f"class scores and offsets of {PER_CELL} anchors per cell, strides 8 to 128",
        *(("its anchors are among its outputs",) if told else ()),
    )
    questions = (Question.SCALING, *(() if told else (Question.ANCHORS,)))
    return Match(
        "EfficientDet, raw", spec, EFFICIENTDET_LITE if lite else EFFICIENTDET, heads.classes, reasons, questions
    )


def _joined(outputs: Sequence[Output], hints: Hints) -> _Heads | None:
    count = PER_CELL * cells_of(hints.input_hw, STRIDES)
    tables = [one for one in outputs if not one.whole and len(one.shape) == 2 and one.shape[0] == count]
    # Anchors may be there too; they are in pixels.
    boxes = [one for one in tables if one.shape[1] == 4 and not _is_anchors(one, hints)]
    scores = [one for one in tables if one.shape[1] != 4]
    if not scores and len(boxes) == 2:  # four classes: by name, else the first
        boxes.sort(key=_says_boxes)
        scores = [boxes.pop(0)]
    if len(boxes) != 1 or len(scores) != 1:
        return None
    return _Heads((scores[0],), (boxes[0],), scores[0].shape[1], channels_last=True)


def _per_level(outputs: Sequence[Output], hints: Hints) -> _Heads | None:
    for channels_last in (True, False):
        scores, boxes = [], []
        for stride in STRIDES:
            rows, columns = (-(-side // stride) for side in hints.input_hw)
            level = [
                one
                for one in outputs
                if one.array.ndim == 4
                and (one.array.shape[1:3] if channels_last else one.array.shape[2:]) == (rows, columns)
                and _channels(one, channels_last=channels_last) % PER_CELL == 0
            ]
            level.sort(key=lambda one: (_channels(one, channels_last=channels_last) == 4 * PER_CELL, _says_boxes(one)))
            if len(level) != 2 or _channels(level[1], channels_last=channels_last) != 4 * PER_CELL:
                break
            scores.append(level[0])
            boxes.append(level[1])
        widths = {_channels(one, channels_last=channels_last) for one in scores}
        if len(scores) == len(STRIDES) and len(widths) == 1:
            return _Heads(tuple(scores), tuple(boxes), widths.pop() // PER_CELL, channels_last)
    return None


def _channels(output: Output, *, channels_last: bool) -> int:
    return int(output.array.shape[3 if channels_last else 1])


def _says_boxes(output: Output) -> bool:
    return any(part in output.name.lower() for part in ("box", "reg", "loc"))


def _is_anchors(output: Output, hints: Hints) -> bool:
    return _told_scale([output], hints) is not None


def _told_scale(outputs: Sequence[Output], hints: Hints) -> float | None:
    """The anchors' scale, where one output holds the anchors' corners (y first) in pixels."""
    count = PER_CELL * cells_of(hints.input_hw, STRIDES)
    for scale in SCALES:
        boxes = anchor_boxes(hints.input_hw, STRIDES, efficientdet_anchors(hints.input_hw, scale))
        centre, half = boxes[:, 1::-1], boxes[:, :1:-1] / 2
        corners = np.concatenate([centre - half, centre + half], axis=1)
        for output in outputs:
            if output.shape == (count, 4) and not output.whole:
                given = np.asarray(output.array, np.float32).reshape(count, 4)
                if np.allclose(given, corners, atol=1.0):
                    return scale
    return None
