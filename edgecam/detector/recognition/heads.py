"""Recognising one output with a row or column per cell or anchor: YOLO in its forms, YOLOX, NanoDet-Plus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import Decoder, OutputSpec
from edgecam.detector.gfl import cell_points
from edgecam.detector.recognition.cells import STRIDES, activation_of, cells_of, listed, probable
from edgecam.detector.recognition.gfl_heads import BINS
from edgecam.detector.recognition.match import NANODET_PLUS, YOLO, YOLOX, Hints, Match, Question, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output


def match_single(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """One output with a column or row per cell or anchor; further outputs (raw heads, masks) are left alone."""
    for output in outputs:
        if len(output.shape) == 2 and not output.whole:
            match = _cells(output, hints)
            if match is not None:
                return match
    return None


def _cells(output: Output, hints: Hints) -> Match | None:
    for strides in STRIDES[:5]:
        cells = cells_of(hints.input_hw, strides)
        for rows, (count, width) in ((True, output.shape), (False, output.shape[::-1])):
            if width < 5 or count not in {cells, 3 * cells}:
                continue
            values = np.asarray(output.array, np.float32).reshape(output.shape)
            values = values.T if rows else values
            if count == 3 * cells:
                return _anchored(output, values, rows, hints, strides)
            return _anchor_free(output, values, rows, hints, strides)
    return None


def _anchored(output: Output, values: Any, rows: bool, hints: Hints, strides: tuple[int, ...]) -> Match:
    classes = _class_columns(len(values) - 5, hints)
    spec = OutputSpec(
        Decoder.DENSE,
        (output.name,),
        strides,
        activation=activation_of(values[4 : 5 + classes]),
        rows=rows,
        objectness=True,
        normalized=span(values[:4])[1] <= 2,
        class_ids=_without_rest(classes, len(values) - 5),
    )
    reason = f"{values.shape[1]} predictions, three per cell of strides {listed(strides)}, with objectness"
    return Match("YOLOv5/YOLOv7", spec, YOLO, classes, (reason,))


def _anchor_free(output: Output, values: Any, rows: bool, hints: Hints, strides: tuple[int, ...]) -> Match:
    told = f"{values.shape[1]} predictions, one per cell of strides {listed(strides)}"
    points, sizes = cell_points(hints.input_hw, strides, 0.5)
    height, width = hints.input_hw
    in_fractions = _near(values[:2] * np.array([[width], [height]]), points.T, sizes)
    bins = _bins_of(values, hints)
    if bins is not None:
        classes = len(values) - 4 * bins
        spec = OutputSpec(Decoder.GFL, (output.name,), strides, bins, 0.0, activation_of(values[:classes]), rows=rows)
        return Match("NanoDet-Plus", spec, NANODET_PLUS, classes, (f"{told}, with 4x{bins} distance bins",))
    if rows and not in_fractions and not _near(values[:2], points.T, sizes):
        classes = len(values) - 5
        spec = OutputSpec(
            Decoder.GRID, (output.name,), strides, activation=activation_of(values[4:]), rows=rows, objectness=True
        )
        return Match("YOLOX", spec, YOLOX, classes, (f"{told}; its boxes are offsets from cells, not pixels",))
    # Rows with one prediction per cell come from YOLOX, YOLOv6 (objectness) and transposed exports of later YOLOs.
    objectness = rows and len(values) > 5 and _has_objectness(len(values), hints)
    columns = len(values) - 4 - objectness
    classes = _class_columns(columns, hints)
    spec = OutputSpec(
        Decoder.DENSE,
        (output.name,),
        strides,
        activation=activation_of(values[4:]),
        rows=rows,
        objectness=objectness,
        normalized=in_fractions,
        class_ids=_without_rest(classes, columns),
    )
    if objectness:
        yolox = "yolox" in output.name.lower()
        questions = (Question.COLOR, Question.SCALING, Question.RESIZE)  # the two differ in all of these
        reasons = (f"{told}, with objectness",)
        return Match("YOLOX or YOLOv6, decoded", spec, YOLOX if yolox else YOLO, classes, reasons, questions)
    return Match("YOLOv8 … YOLO12", spec, YOLO, classes, (f"{told}: a box and {classes} class scores each",))


def _has_objectness(width: int, hints: Hints) -> bool:
    if hints.classes is not None:
        return width == hints.classes + 5
    return width not in {84, 24}  # 4 + COCO, 4 + VOC


def _class_columns(columns: int, hints: Hints) -> int:
    return min(hints.classes, columns) if hints.more_columns and hints.classes else columns


def _without_rest(classes: int, columns: int) -> tuple[int, ...]:
    """What follows the class scores (coefficients of masks, key points) has no label."""
    return () if classes == columns else (*range(classes), *(-1 for _ in range(columns - classes)))


def _bins_of(values: Any, hints: Hints) -> int | None:
    """How many distance bins end each column, if it has any: scores first, then logits of any sign."""
    for bins in BINS:
        classes = len(values) - 4 * bins
        if classes < 1 or (hints.classes is not None and classes != hints.classes):
            continue
        if hints.classes is None and classes not in {80, 20, 1, 2, 3}:
            continue
        if probable(values[:classes]) and not probable(values[classes:]) and span(values[classes:])[0] < 0:
            return bins
    return None


def _near(centres: Any, points: Any, sizes: Any) -> bool:
    """Most predicted centres lie within four cells of their own, as they do once decoded."""
    return bool(np.mean(np.abs(centres - points).max(axis=0) <= 4 * sizes) > 0.5)
