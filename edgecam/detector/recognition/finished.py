"""Recognising outputs that hold finished boxes: in rows, in lists, or beside the scores of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from edgecam.detector.recognition.cells import STRIDES, activation_of, cells_of
from edgecam.detector.recognition.match import (
    DETR,
    DETR_IMAGENET,
    MMDETECTION,
    PICODET,
    RAW_STRETCHED,
    SSD,
    TORCHVISION,
    YOLO,
    Convention,
    Hints,
    Match,
    Question,
    span,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

BY_CORNERS = ("x1", "y1", "x2", "y2")


def match_rows(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """One table of finished boxes with six or seven columns."""
    tables = [output for output in outputs if output.array.ndim >= 2 and output.array.shape[-1] in {6, 7}]
    if len(tables) != 1 or any(output.array.size > 1 for output in outputs if output is not tables[0]):
        return None
    table = tables[0]
    axes, width = table.array.ndim, table.array.shape[-1]
    paddle = bool(hints.extra_inputs) or "paddle" in hints.producer.lower()
    if width == 6 and paddle:
        columns: tuple[str, ...] = ("class", "score", *BY_CORNERS)
        return _rows("PaddleDetection", table, columns, hints, PICODET)
    if width == 6 and axes <= 3:
        return _rows("YOLOv10, YOLO26 and other end-to-end ones", table, (*BY_CORNERS, "score", "class"), hints)
    if width == 7 and axes == 4:
        columns = ("", "class", "score", *BY_CORNERS)
        return _rows("SSD (DetectionOutput)", table, columns, hints, SSD, normalized=True, one_based=True)
    if width == 7 and axes == 3:
        columns = ("", "y1", "x1", "y2", "x2", "score", "class")
        return _rows("EfficientDet (AutoML)", table, columns, hints, RAW_STRETCHED, one_based=True)
    if width == 7 and axes == 2:
        return _rows("YOLOv7 with NMS", table, ("", *BY_CORNERS, "class", "score"), hints)
    return None


def _rows(
    family: str,
    table: Output,
    columns: tuple[str, ...],
    hints: Hints,
    convention: Convention = YOLO,
    *,
    normalized: bool = False,
    one_based: bool = False,
) -> Match:
    numbers = np.asarray(table.array, np.float32).reshape(-1, len(columns))
    highest = span(numbers[:, [columns.index(name) for name in BY_CORNERS]])[1]
    normalized = normalized or 0 < highest <= 2
    spec = OutputSpec(Decoder.ROWS, (table.name,), activation=Activation.NONE, normalized=normalized, columns=columns)
    shown = ", ".join(name or "-" for name in columns)
    return Match(
        family, spec, convention, None, (f"finished boxes in rows of {shown}",), one_based=one_based, suppressed=True
    )


def match_lists(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Boxes, scores and classes apart."""
    boxes = [o for o in outputs if o.array.ndim >= 2 and o.array.shape[-1] in {4, 5} and not o.whole]
    lists = [o for o in outputs if o not in boxes and len(_list_shape(o)) == 1]
    if len(boxes) != 1:
        return None
    box = boxes[0]
    count = int(np.prod(box.array.shape[:-1]))
    lists = [o for o in lists if _list_shape(o) == (count,)]
    if box.array.shape[-1] == 5:
        return _mmdeploy(box, lists)
    scores = [o for o in lists if "score" in o.name.lower() or "conf" in o.name.lower()]
    classes = [o for o in lists if "class" in o.name.lower() or "label" in o.name.lower()]
    if not scores or not classes:
        classes = [o for o in lists if o.whole] or [o for o in lists if _whole_numbers(o) and not _falling(o)]
        scores = [o for o in lists if o not in classes]
    if len(scores) != 1 or len(classes) != 1 or scores[0] is classes[0]:
        return None
    return _three_lists(box, scores[0], classes[0], outputs, hints)


def _three_lists(box: Output, scores: Output, classes: Output, outputs: Sequence[Output], hints: Hints) -> Match:
    names = (box.name, scores.name, classes.name)
    if hints.extra_inputs:
        spec = OutputSpec(Decoder.LISTS, names, activation=Activation.NONE, box=BoxFormat.XYXY)
        reasons = (f"boxes, scores and labels; a further input {hints.extra_inputs[0][:80]!r}",)
        return Match("RT-DETR / D-FINE / DEIM", spec, DETR, None, reasons, suppressed=True)
    batched = box.array.ndim == 3
    if batched and not classes.whole:
        # Exports of the API give fractions; EfficientDet-Lite as published on TF Hub gives pixels.
        normalized = not span(np.asarray(box.array, np.float32))[1] > 2
        spec = OutputSpec(Decoder.LISTS, names, activation=Activation.NONE, box=BoxFormat.YXYX, normalized=normalized)
        reasons = (f"boxes, classes, scores ({len(outputs)} outputs) as TF Object Detection gives them",)
        questions = (Question.SCALING,)  # of a float input; of bytes there is no question
        return Match(
            "TF Object Detection", spec, RAW_STRETCHED, None, reasons, questions, one_based=True, suppressed=True
        )
    spec = OutputSpec(Decoder.LISTS, names, activation=Activation.NONE, box=BoxFormat.XYXY)
    reasons = ("boxes, labels and scores without an axis for the batch, as torchvision gives them",)
    return Match("torchvision", spec, TORCHVISION, None, reasons, one_based=True, suppressed=True)


def _mmdeploy(box: Output, lists: Sequence[Output]) -> Match | None:
    labels = [o for o in lists if o.whole or "label" in o.name.lower()]
    if len(labels) != 1:
        return None
    spec = OutputSpec(Decoder.LISTS, (box.name, labels[0].name), activation=Activation.NONE, box=BoxFormat.XYXY)
    reasons = ("boxes with their scores, and labels, as mmdeploy gives them",)
    questions = (Question.SCALING, Question.COLOR, Question.RESIZE)
    return Match("mmdeploy", spec, MMDETECTION, None, reasons, questions, suppressed=True)


def match_boxes_scores(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Boxes and the scores of each class apart."""
    if len(outputs) < 2:
        return None
    floats = [o for o in outputs if not o.whole and o.array.ndim >= 2]
    boxes = [o for o in floats if o.array.shape[-1] == 4 and ("score" not in o.name.lower())]
    for box in sorted(boxes, key=lambda o: "box" not in o.name.lower()):
        count = int(np.prod(box.array.shape[:-1]))
        for scores in floats:
            if scores is box or len(scores.shape) != 2 or count not in scores.shape:
                continue
            rows = scores.shape[0] == count
            return _boxes_scores(box, scores, rows, hints)
    return None


def _boxes_scores(box: Output, scores: Output, rows: bool, hints: Hints) -> Match:
    table = np.asarray(scores.array, np.float32).reshape(scores.shape)
    table = table if rows else table.T  # (N, C)
    numbers = np.asarray(box.array, np.float32).reshape(-1, 4)
    normalized = span(np.abs(numbers))[1] <= 2
    low, high = span(table)
    names = (box.name, scores.name)
    classes = table.shape[1]
    query_based = len(numbers) <= 1000 and ("logit" in scores.name.lower() or low < 0)
    if query_based:
        background = classes in {92, 82} or (hints.classes is not None and classes == hints.classes + 1)
        spec = OutputSpec(
            Decoder.BOXES_SCORES,
            names,
            activation=Activation.SOFTMAX if background else Activation.SIGMOID,
            rows=rows,
            box=BoxFormat.CXCYWH,
            normalized=normalized,
            class_ids=(*range(classes - 1), -1) if background else (),
        )
        reasons = (f"{len(numbers)} queries: boxes and logits of {classes} classes",)
        # The first DETR has a background and ImageNet's mean; those after it have neither.
        convention = DETR_IMAGENET if background else DETR
        return Match(
            "DETR and its kin", spec, convention, classes - background, reasons, (Question.SCALING,), suppressed=True
        )
    if any(len(numbers) == cells_of(hints.input_hw, strides) for strides in STRIDES):
        spec = OutputSpec(
            Decoder.BOXES_SCORES,
            names,
            activation=activation_of(table),
            rows=rows,
            box=BoxFormat.XYXY if ordered(numbers) else BoxFormat.CXCYWH,
            normalized=normalized,
        )
        reasons = (f"{len(numbers)} boxes, one per cell, and scores of {classes} classes",)
        return Match("YOLO, boxes and scores apart", spec, YOLO, classes, reasons)
    shared_out = span(np.abs(table.sum(axis=1) - 1))[1] < 0.01
    activation = Activation.NONE if low >= 0 and high <= 1 else Activation.SOFTMAX
    background = shared_out or activation is Activation.SOFTMAX or classes in {21, 91, 81}
    if hints.classes is not None:
        background = classes == hints.classes + 1
    spec = OutputSpec(
        Decoder.BOXES_SCORES,
        names,
        activation=activation,
        rows=rows,
        box=BoxFormat.XYXY if ordered(numbers) else BoxFormat.CXCYWH,
        normalized=normalized,
        class_ids=(-1, *range(classes - 1)) if background else (),
    )
    reasons = (f"{len(numbers)} boxes and scores of {classes} classes{', the first a background' * background}",)
    questions = (Question.SCALING, Question.COLOR)
    return Match("SSD", spec, SSD, classes - background, reasons, questions)


def ordered(numbers: np.ndarray) -> bool:
    """The third and fourth number exceed the first and second nearly always: corners, not centre and size."""
    return len(numbers) > 0 and bool(np.mean((numbers[:, 2:] >= numbers[:, :2]).all(axis=1)) > 0.95)


def _list_shape(output: Output) -> tuple[int, ...]:
    shape = output.array.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _whole_numbers(output: Output) -> bool:
    values = np.asarray(output.array, np.float64)
    return bool(values.size and np.all(values == np.rint(values)))


def _falling(output: Output) -> bool:
    """Never rising and within 0 to 1: scores, best first."""
    values = np.asarray(output.array, np.float64).ravel()
    low, high = span(values)
    return bool(np.all(np.diff(values) <= 0)) and low >= 0 and 0 < high <= 1
