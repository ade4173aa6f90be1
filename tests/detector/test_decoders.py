"""Decoders of scores per cell or anchor, on hand-made outputs with exact boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgecam.detector.decoding import DECODERS, decode
from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from tests.detector.exact import ASK, CELLS, NONE, f32, in_order, logit

# Dense: two predictions, of which one is a box of 20x10 around (30, 40).

DENSE = OutputSpec(Decoder.DENSE, activation=NONE)
COLUMNS = f32([[30, 40, 20, 10, 0.2, 0.9, 0.0], [50, 20, 10, 10, 0.05, 0.0, 0.0]]).T[None]  # (1, 4 + 3, 2)
BOX = [[20.0, 35.0, 40.0, 45.0]]
WITH_OBJECTNESS = f32([[30, 40, 20, 10, 0.5, 0.2, 0.8], [50, 20, 10, 10, 0.09, 1, 1]])[None]  # (1, 2, 5 + 2)
LOGITS = f32([[30, 40, 20, 10, logit(0.5), logit(0.2), logit(0.8)], [50, 20, 10, 10, -9, 9, 9]])[None]

DENSE_CASES = {
    "YOLOv8: columns": (DENSE, COLUMNS, BOX, [0.9], [1]),
    "YOLOv8 transposed: rows": (replace(DENSE, rows=True), COLUMNS.transpose(0, 2, 1), BOX, [0.9], [1]),
    "no axis for the batch": (DENSE, COLUMNS[0], BOX, [0.9], [1]),
    "corners": (
        replace(DENSE, box=BoxFormat.XYXY),
        COLUMNS * f32([1, 1, 2, 5, 1, 1, 1])[:, None],
        [[30, 40, 40, 50]],
        [0.9],
        [1],
    ),
    "corners turned inside out": (replace(DENSE, box=BoxFormat.XYXY), COLUMNS, [], [], []),
    "corner and size": (replace(DENSE, box=BoxFormat.XYWH), COLUMNS, [[30, 40, 50, 50]], [0.9], [1]),
    "fractions": (
        replace(DENSE, normalized=True),
        COLUMNS / f32([96, 64, 96, 64, 1, 1, 1])[:, None],
        BOX,
        [0.9],
        [1],
    ),
    "float16": (DENSE, COLUMNS.astype(np.float16), BOX, [0.8999], [1]),
    "masks behind the classes": (replace(DENSE, class_ids=(0, -1, -1)), COLUMNS, BOX, [0.2], [0]),
    "other numbering": (replace(DENSE, class_ids=(-1, 7, 3)), COLUMNS, BOX, [0.9], [7]),
    "YOLOv5: objectness": (replace(DENSE, rows=True, objectness=True), WITH_OBJECTNESS, BOX, [0.4], [1]),
    "objectness and logits": (
        replace(DENSE, rows=True, objectness=True, activation=Activation.SIGMOID),
        LOGITS,
        BOX,
        [0.4],
        [1],
    ),
    "softmax": (
        replace(DENSE, activation=Activation.SOFTMAX),
        f32([[30, 40, 20, 10, np.log(1), np.log(8), np.log(1)]]).T[None],
        BOX,
        [0.8],
        [1],
    ),
}


@pytest.mark.parametrize(("spec", "output", "boxes", "scores", "ids"), DENSE_CASES.values(), ids=DENSE_CASES)
def test_dense(spec: OutputSpec, output: np.ndarray, boxes: list, scores: list, ids: list) -> None:
    assert in_order(decode([output], spec, ASK)) == (boxes, scores, ids)


def test_yolox_offsets_and_logarithms() -> None:
    spec = OutputSpec(Decoder.GRID, activation=NONE, rows=True, objectness=True)
    table = np.zeros((1, CELLS, 5 + 2), np.float32)
    table[0, 2 * 12 + 3] = [0.5, 0.25, np.log(2), np.log(1), 0.8, 0.0, 0.5]  # stride 8, row 2, column 3
    table[0, 96 + 1 * 6 + 5] = [0, 0, np.log(3), np.log(2), 1.0, 0.9, 0.0]  # stride 16, row 1, column 5
    table[0, 96 + 24 + 5] = [1, 1, 0, 0, 0.3, 0.0, 0.5]  # stride 32, row 1, column 2
    boxes, scores, ids = in_order(decode([table], spec, ASK))
    assert boxes == [[56, 0, 104, 32], [20, 14, 36, 22], [80, 48, 112, 80]]
    assert scores == [0.9, 0.4, 0.15]
    assert ids == [0, 1, 1]


V5 = OutputSpec(Decoder.ANCHORS, strides=(8, 16), anchors=(((10.0, 20.0), (40.0, 10.0)), ((30.0, 30.0), (60.0, 50.0))))


def v5_heads() -> list[np.ndarray]:
    heads = [np.full((1, 2, 8, 12, 5 + 2), -20.0, np.float32), np.full((1, 2, 4, 6, 5 + 2), -20.0, np.float32)]
    # σ(0) = 0.5: the middle of the cell, and the anchor's own size
    heads[0][0, 1, 2, 3] = [0, 0, 0, 0, 20, -20, logit(0.7)]
    # σ = 0.75: one cell further; sides (2 · 0.75)² = 2.25 anchors
    heads[1][0, 0, 1, 0] = [logit(0.75), logit(0.75), logit(0.75), logit(0.75), logit(0.5), 20, -20]
    return heads


@pytest.mark.parametrize("form", ["anchors apart", "channels", "activated"])
def test_yolov5_raw_heads(form: str) -> None:
    heads, spec = v5_heads(), V5
    if form == "channels":
        heads = [head.transpose(0, 1, 4, 2, 3).reshape(1, -1, *head.shape[2:4]) for head in heads]
    if form == "activated":
        heads, spec = [1 / (1 + np.exp(-head)) for head in heads], replace(V5, activation=NONE)
    boxes, scores, ids = in_order(decode(heads, spec, ASK))
    assert boxes == [[8, 15, 48, 25], [-17.75, -1.75, 49.75, 65.75]]
    assert scores == [0.7, 0.5]
    assert ids == [1, 0]


def test_yolo_fastest_v2_shares_its_classes() -> None:
    spec = OutputSpec(
        Decoder.YOLO_FASTEST, strides=(16,), anchors=(((10.0, 20.0), (40.0, 10.0), (8.0, 8.0)),), activation=NONE
    )
    head = np.zeros((1, 4, 6, 3 * 5 + 2), np.float32)
    head[0, 1, 2, 4:8] = 0.5  # the second anchor, in the middle of its cell, its own size
    head[0, 1, 2, 12:15] = [0.05, 0.8, 0.0]
    head[0, 1, 2, 15:] = [0.25, 0.75]
    assert in_order(decode([head], spec, ASK)) == ([[20, 19, 60, 29]], [0.6], [1])


def test_fastestdet() -> None:
    head = np.zeros((1, 5 + 3, 4, 6), np.float32)
    head[0, :, 1, 2] = [1.0, 0.0, 0.0, 0.0, logit(0.25), 0.0, 0.0, 0.5]
    boxes, scores, ids = in_order(decode([head], OutputSpec(Decoder.FASTESTDET, activation=NONE), ASK))
    # tanh(0) is the cell's corner (32, 16); half of the width 96, a quarter of the height 64
    assert boxes == [[8, 8, 56, 24]]
    assert scores == [round(0.5**0.4, 4)]
    assert ids == [2]


@pytest.mark.parametrize("form", ["rows per level", "maps per level", "all cells in rows", "all cells in columns"])
def test_gfl_in_its_forms(form: str) -> None:
    spec = OutputSpec(Decoder.GFL, strides=(8, 16), bins=4, cell_offset=0.5, activation=NONE)
    scores = [np.zeros((96, 2), np.float32), np.zeros((24, 2), np.float32)]
    bins = [np.zeros((96, 16), np.float32), np.zeros((24, 16), np.float32)]
    scores[1][1 * 6 + 2, 1] = 0.75  # stride 16, row 1, column 2: its centre is (40, 24)
    bins[1][1 * 6 + 2].reshape(4, 4)[[0, 1, 2, 3], [2, 1, 3, 1]] = 50.0  # left, top, right, bottom
    if form == "rows per level":
        outputs = [array[None] for array in (*scores, *bins)]
    elif form == "maps per level":
        hw = [(8, 12), (4, 6), (8, 12), (4, 6)]
        outputs = [a.T.reshape(1, -1, *size) for a, size in zip((*scores, *bins), hw, strict=True)]
    else:
        cells = np.concatenate([np.concatenate(scores), np.concatenate(bins)], axis=1)
        outputs = [(cells if form == "all cells in rows" else cells.T)[None]]
        spec = replace(spec, rows=form == "all cells in rows")
    assert in_order(decode(outputs, spec, ASK)) == ([[8, 8, 88, 40]], [0.75], [1])


def test_the_table_knows_every_decoder() -> None:
    assert set(DECODERS) == set(Decoder)


def test_offsets_from_anchors_by_level_and_joined() -> None:
    spec = OutputSpec(
        Decoder.OFFSETS, strides=(32, 64), box=BoxFormat.YXYX, rows=True,
        anchors=(((20.0, 40.0), (40.0, 20.0)), ((64.0, 64.0), (90.0, 45.0))),
    )  # fmt: skip
    scores = [np.full((1, 2, 3, 2 * 3), -20, np.float32), np.full((1, 1, 2, 2 * 3), -20, np.float32)]
    boxes = [np.zeros((1, 2, 3, 2 * 4), np.float32), np.zeros((1, 1, 2, 2 * 4), np.float32)]
    scores[0][0, 1, 2, 3 + 2] = logit(0.75)  # the second anchor, 40x20 around (80, 48)
    boxes[0][0, 1, 2, 4:] = [0.5, -0.25, np.log(2), np.log(0.5)]  # y, x, height, width: (70, 58), 20x40
    scores[1][0, 0, 1, 0] = logit(0.5)  # 96 pixels are shared by two cells: this one's centre is (72, 32)
    expected = ([[60, 38, 80, 78], [40, 0, 104, 64]], [0.75, 0.5], [2, 0])
    assert in_order(decode([*scores, *boxes], spec, ASK)) == expected
    first = [maps.transpose(0, 3, 1, 2) for maps in (*scores, *boxes)]
    assert in_order(decode(first, replace(spec, rows=False), ASK)) == expected
    joined = [np.concatenate([m.reshape(1, -1, n) for m in maps], axis=1) for maps, n in ((scores, 3), (boxes, 4))]
    assert in_order(decode(joined, spec, ASK)) == expected
    flipped = [joined[0], joined[1][..., [1, 0, 3, 2]]]
    assert in_order(decode(flipped, replace(spec, box=BoxFormat.CXCYWH), ASK)) == expected
