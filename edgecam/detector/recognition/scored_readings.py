"""Readings of boxes that have a score for every class."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from edgecam.detector.recognition.anchor_heads import ANCHORS_V5
from edgecam.detector.recognition.cells import STRIDES, activation_of, cells_of
from edgecam.detector.recognition.reading import Reading, boxes_in, fractions, look_like_corners, named, where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgecam.detector.recognition.graph import Output
    from edgecam.detector.recognition.match import Hints

MAX_CLASSES = 2000
MAP_STRIDES = (8, 16, 32, 64)


def predictions(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """One output with a box and class scores each; its longer axis counts the predictions."""
    for output in outputs:
        if len(output.shape) == 2:
            yield from _dense(output, outputs, hints, rows=output.shape[0] >= output.shape[1])


def predictions_turned(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """The same, the other way round: a few predictions of many classes."""
    if len(outputs) == 1 and len(outputs[0].shape) == 2:
        yield from _dense(outputs[0], outputs, hints, rows=outputs[0].shape[0] < outputs[0].shape[1])


def _dense(output: Output, outputs: Sequence[Output], hints: Hints, *, rows: bool) -> Iterator[Reading]:
    count, width = output.shape if rows else output.shape[::-1]
    if count < 1 or not 5 <= width <= MAX_CLASSES:
        return
    values = np.asarray(output.array, np.float32).reshape(output.shape)
    values = values.T if rows else values  # (width, count)
    place = f"{where(output, outputs)}{'' if rows else ', one per column'}"
    with_objectness = width - 5 in {80, 20, hints.classes}
    for objectness in (True, False) if with_objectness else (False, True):
        classes = width - 4 - objectness
        if classes < 1:
            continue
        between = "objectness, " if objectness else ""
        spec = OutputSpec(
            Decoder.DENSE,
            (output.name,),
            activation=activation_of(values[4:]),
            rows=rows,
            objectness=objectness,
            box=BoxFormat.XYXY if look_like_corners(values[:4].T) else BoxFormat.CXCYWH,
            normalized=fractions(values[:4]),
        )
        yield Reading(f"{count} predictions{place}: box, {between}{_scores(classes)}", spec, classes)


def offsets_from_cells(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """As YOLOX gives them, where there is one prediction per cell."""
    for output in outputs:
        shape = output.shape if len(output.shape) == 2 else ()
        strides = next((one for one in STRIDES if cells_of(hints.input_hw, one) in shape), ())
        if not strides:
            continue
        rows = output.shape[0] == cells_of(hints.input_hw, strides)
        width = output.shape[1 if rows else 0]
        values = np.asarray(output.array, np.float32).reshape(output.shape)
        scores = values[:, 4:] if rows else values[4:]
        for objectness in (True, False):
            classes = width - 4 - objectness
            if not 1 <= classes <= MAX_CLASSES:
                continue
            spec = OutputSpec(
                Decoder.GRID,
                (output.name,),
                strides,
                activation=activation_of(scores),
                rows=rows,
                objectness=objectness,
            )
            between = "objectness, " if objectness else ""
            text = f"Offsets from cells, as YOLOX{where(output, outputs)}: box, {between}{_scores(classes)}"
            yield Reading(text, spec, classes)


def boxes_and_scores(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """Boxes in one output, the scores of each class in another."""
    for box, scores in permutations([output for output in outputs if not output.whole], 2):
        count, columns = boxes_in(box)
        shape = scores.shape if len(scores.shape) == 2 else (1, *scores.shape)
        if count < 1 or len(shape) != 2 or count not in shape:
            continue
        rows = shape[0] == count and len(scores.shape) == 2
        classes = shape[1] if rows else shape[0]
        table = np.asarray(scores.array, np.float32).reshape(shape)
        if classes > MAX_CLASSES:
            continue
        numbers = np.asarray(box.array, np.float32).reshape(box.shape)
        numbers = numbers.T if columns else numbers[:, :4]
        spec = OutputSpec(
            Decoder.BOXES_SCORES,
            (box.name, scores.name),
            activation=activation_of(table),
            rows=rows,
            box=BoxFormat.XYXY if look_like_corners(numbers) else BoxFormat.CXCYWH,
            normalized=fractions(numbers),
        )
        yield Reading(f"{count} boxes in {named(box)}, {_scores(classes)} each in {named(scores)}", spec, classes)


def maps(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """One map of cells, as FastestDet gives it."""
    height, width = hints.input_hw
    for output in outputs:
        if output.array.ndim != 4 or output.array.shape[0] != 1 or not 6 <= output.array.shape[1] <= MAX_CLASSES:
            continue
        _, channels, rows, columns = output.array.shape
        if any((rows, columns) == (height // stride, width // stride) for stride in MAP_STRIDES):
            spec = OutputSpec(Decoder.FASTESTDET, (output.name,), (height // rows,), activation=Activation.NONE)
            text = f"A map of {columns}×{rows} cells, as FastestDet{where(output, outputs)}: {_scores(channels - 5)}"
            yield Reading(text, spec, channels - 5)


def anchored(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """Raw heads of three anchor boxes per cell, of one or two levels: three are recognised."""
    known = dict(zip((8, 16, 32), ANCHORS_V5, strict=True))
    heads: dict[int, tuple[str, int]] = {}
    for output in outputs:
        shape = output.array.shape
        rows, channels = 0, 0
        if len(shape) == 4 and shape[0] == 1 and shape[1] % 3 == 0:
            rows, channels = shape[2], shape[1] // 3
        elif len(shape) == 5 and shape[:2] == (1, 3):
            rows, channels = shape[2], shape[4]
        stride = next((s for s in known if rows and hints.input_hw[0] == rows * s), 0)
        if stride and 6 <= channels <= MAX_CLASSES:
            heads[stride] = (output.name, channels)
    widths = {channels for _, channels in heads.values()}
    if len(heads) not in {1, 2} or len(widths) != 1:
        return
    strides = tuple(sorted(heads))
    names = tuple(heads[stride][0] for stride in strides)
    raw = np.concatenate([np.asarray(o.array, np.float32).ravel() for o in outputs if o.name in names])
    spec = OutputSpec(
        Decoder.ANCHORS, names, strides, activation=activation_of(raw), anchors=tuple(known[s] for s in strides)
    )
    classes = widths.pop() - 5
    yield Reading(f"Raw heads with YOLOv5's anchor boxes: {_scores(classes)}", spec, classes)


def _scores(classes: int) -> str:
    return f"{classes} class score{'s' * (classes != 1)}"
