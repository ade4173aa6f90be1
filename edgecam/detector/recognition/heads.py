"""Recognising heads that give something for every cell: YOLO in its forms, YOLOX, GFL, FastestDet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import Activation, Decoder, OutputSpec
from edgecam.detector.gfl import cell_points
from edgecam.detector.recognition.match import (
    BGR_STRETCHED,
    NANODET,
    NANODET_PLUS,
    PICODET,
    YOLO,
    YOLOX,
    Hints,
    Match,
    Question,
    span,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (16, 32), (4, 8, 16, 32), (16, 32, 64), (32,), (16,), (8,), (8, 16))
BINS = (8, 17, 16, 9, 33)

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


def cells_of(input_hw: tuple[int, int], strides: Sequence[int]) -> int:
    return sum(-(-input_hw[0] // stride) * -(-input_hw[1] // stride) for stride in strides)


def probable(scores: Any) -> bool:
    """All scores lie within 0 to 1: they are probabilities already."""
    low, high = span(scores)
    return low >= 0 and high <= 1


def activation_of(scores: Any) -> Activation:
    return Activation.NONE if probable(scores) else Activation.SIGMOID


def match_gfl_levels(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Two outputs per level: class scores and distance bins."""
    by_cells: dict[int, list[tuple[Output, int]]] = {}
    for output in outputs:
        shape = output.shape
        if len(shape) == 2:
            by_cells.setdefault(shape[0], []).append((output, shape[1]))
        elif len(shape) == 3:
            by_cells.setdefault(shape[1] * shape[2], []).append((output, shape[0]))
    for strides in STRIDES:
        levels = [by_cells.get(cells_of(hints.input_hw, (stride,)), []) for stride in strides]
        if 2 * len(strides) != len(outputs) or any(len(level) != 2 for level in levels):
            continue
        for bins in BINS:
            sorted_levels = [_scores_and_bins(level, 4 * bins, hints.classes) for level in levels]
            pairs = [pair for pair in sorted_levels if pair is not None]
            if len(pairs) != len(strides) or len({classes for _, _, classes in pairs}) != 1:
                continue
            picodet = len(strides) == 4 or "paddle" in hints.producer.lower()
            scores = np.concatenate([np.asarray(pair[0].array, np.float32).ravel() for pair in pairs])
            spec = OutputSpec(
                Decoder.GFL,
                names=(*(pair[0].name for pair in pairs), *(pair[1].name for pair in pairs)),
                strides=strides,
                bins=bins,
                cell_offset=0.5,
                activation=activation_of(scores),
            )
            return Match(
                "PicoDet" if picodet else "NanoDet",
                spec,
                PICODET if picodet else NANODET,
                pairs[0][2],
                (f"class scores and 4x{bins} distance bins of {len(strides)} levels, strides {_list(strides)}",),
            )
    return None


def _scores_and_bins(
    level: Sequence[tuple[Output, int]], width: int, classes: int | None
) -> tuple[Output, Output, int] | None:
    (first, a), (second, b) = level
    if b == width and (a != width or a == classes or not _looks_like_bins(first)):
        return first, second, a
    if a == width:
        return second, first, b
    return None


def _looks_like_bins(output: Output) -> bool:
    name = output.name.lower()
    return any(part in name for part in ("dis", "reg", "box", "bbox"))


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
    reason = f"{values.shape[1]} predictions, three per cell of strides {_list(strides)}, with objectness"
    return Match("YOLOv5/YOLOv7", spec, YOLO, classes, (reason,))


def _anchor_free(output: Output, values: Any, rows: bool, hints: Hints, strides: tuple[int, ...]) -> Match:
    told = f"{values.shape[1]} predictions, one per cell of strides {_list(strides)}"
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
            reason = f"three heads of three anchors per cell, strides {_list(strides)}"
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


def _list(strides: Sequence[int]) -> str:
    return "/".join(str(stride) for stride in strides)
