"""Decoders of boxes that the graph has decoded itself, on hand-made outputs with exact boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgecam.detector.decoding import decode
from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from tests.detector.exact import ASK, NONE, f32, in_order, logit

ROWS = OutputSpec(Decoder.ROWS, activation=NONE)
YOLO26 = ("x1", "y1", "x2", "y2", "score", "class")
ROW_CASES = {
    "YOLOv10, YOLO26": (YOLO26, {}, [[1, 2, 30, 40, 0.9, 5], [0, 0, 0, 0, 0, 0]], [[1, 2, 30, 40]], [0.9], [5]),
    "YOLOv7 with NMS": (
        ("", "x1", "y1", "x2", "y2", "class", "score"),
        {},
        [[0, 1, 2, 30, 40, 5, 0.9]],
        [[1, 2, 30, 40]],
        [0.9],
        [5],
    ),
    "AutoML, one-based": (
        ("", "y1", "x1", "y2", "x2", "score", "class"),
        {"class_ids": (-1, 0, 1)},
        [[0, 1, 2, 30, 40, 0.9, 2], [0, 1, 2, 30, 40, 0.8, 0], [0, 1, 2, 30, 40, 0.8, 3]],
        [[2, 1, 40, 30]],
        [0.9],
        [1],
    ),
    "DetectionOutput": (
        ("", "class", "score", "x1", "y1", "x2", "y2"),
        {"normalized": True},
        [[0, 1, 0.5, 0.25, 0.25, 0.5, 1.0], [-1, 0, 0, 0, 0, 0, 0]],
        [[24, 16, 48, 64]],
        [0.5],
        [1],
    ),
    "PaddleDetection": (
        ("class", "score", "x1", "y1", "x2", "y2"),
        {},
        [[3, 0.6, 1, 2, 3, 4], [-1, 0.9, 1, 2, 3, 4]],
        [[1, 2, 3, 4]],
        [0.6],
        [3],
    ),
    "centres": (("cx", "cy", "w", "h", "class", "score"), {}, [[10, 10, 4, 6, 1, 1.0]], [[8, 7, 12, 13]], [1.0], [1]),
    "no rows": (YOLO26, {}, np.empty((0, 6)), [], [], []),
    "class not a number": (YOLO26, {}, [[1, 2, 3, 4, 0.9, np.nan], [1, 2, 3, 4, 0.9, 1e30]], [], [], []),
}


@pytest.mark.parametrize(("columns", "changes", "rows", "boxes", "scores", "ids"), ROW_CASES.values(), ids=ROW_CASES)
def test_rows(columns: tuple, changes: dict, rows: Any, boxes: list, scores: list, ids: list) -> None:
    spec = replace(ROWS, columns=columns, **changes)
    for output in (f32(rows), f32(rows)[None], f32(rows)[None, None]):
        assert in_order(decode([output], spec, ASK)) == (boxes, scores, ids)


def test_tf_object_detection() -> None:
    spec = OutputSpec(Decoder.LISTS, activation=NONE, box=BoxFormat.YXYX, normalized=True, class_ids=(-1, 0, 1))
    boxes = f32([[[0.25, 0.5, 0.5, 1.0], [0, 0, 1, 1], [0, 0, 1, 1]]])
    found = decode([boxes, f32([[0.9, 0.8, 0.05]]), f32([[2, 0, 1]])], spec, ASK)
    assert in_order(found) == ([[48, 16, 96, 32]], [0.9], [1])


@pytest.mark.parametrize("batch", [True, False])
def test_labels_boxes_scores(batch: bool) -> None:
    """RT-DETR's order of outputs is put right by name before; torchvision's has no axis for the batch."""
    spec = OutputSpec(Decoder.LISTS, activation=NONE, box=BoxFormat.XYXY)
    outputs = [f32([[1, 2, 3, 4], [5, 6, 7, 8]]), f32([0.2, 0.7]), np.array([4, 9])]
    if batch:
        outputs = [output[None] for output in outputs]
    assert in_order(decode(outputs, spec, ASK)) == ([[5, 6, 7, 8], [1, 2, 3, 4]], [0.7, 0.2], [9, 4])


def test_one_single_box_is_no_batch() -> None:
    spec = OutputSpec(Decoder.LISTS, activation=NONE, box=BoxFormat.XYXY)
    for outputs in (
        [f32([[1, 2, 3, 4]]), f32([0.7]), np.array([9])],
        [f32([[[1, 2, 3, 4]]]), f32([[0.7]]), np.array([[9]])],
    ):
        assert in_order(decode(outputs, spec, ASK)) == ([[1, 2, 3, 4]], [0.7], [9])


def test_mmdeploy_has_the_score_beside_the_box() -> None:
    spec = OutputSpec(Decoder.LISTS, activation=NONE, box=BoxFormat.XYXY)
    found = decode([f32([[[1, 2, 3, 4, 0.6], [0, 0, 0, 0, 0]]]), np.array([[7, -1]])], spec, ASK)
    assert in_order(found) == ([[1, 2, 3, 4]], [0.6], [7])


def test_ssd_leaves_out_its_background() -> None:
    spec = OutputSpec(
        Decoder.BOXES_SCORES, activation=NONE, rows=True, box=BoxFormat.XYXY, normalized=True, class_ids=(-1, 0, 1)
    )
    boxes = f32([[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]])
    scores = f32([[[0.9, 0.1, 0.0], [0.2, 0.1, 0.7]]])
    assert in_order(decode([boxes, scores], spec, ASK)) == ([[48, 32, 96, 64]], [0.7], [1])
    between = [boxes[:, :, None], scores]  # (1, N, 1, 4), as YOLOv4's exports have it
    assert in_order(decode(between, spec, ASK)) == ([[48, 32, 96, 64]], [0.7], [1])
    columns = [boxes, scores.transpose(0, 2, 1)]
    assert in_order(decode(columns, replace(spec, rows=False), ASK)) == ([[48, 32, 96, 64]], [0.7], [1])


def test_detr_queries() -> None:
    spec = OutputSpec(
        Decoder.BOXES_SCORES, activation=Activation.SOFTMAX, rows=True, normalized=True, class_ids=(0, 1, -1)
    )
    boxes = f32([[[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1, 1]]])
    scores = np.log(f32([[[0.1, 0.6, 0.3], [0.01, 0.04, 0.95]]]))
    assert in_order(decode([boxes, scores], spec, ASK)) == ([[24, 24, 72, 40]], [0.6], [1])
    sigmoid = replace(spec, activation=Activation.SIGMOID, class_ids=())
    scores = f32([[[logit(0.4), -9, -9], [-9, -9, -9]]])
    assert in_order(decode([boxes, scores], sigmoid, ASK)) == ([[24, 24, 72, 40]], [0.4], [0])
