"""Every decoder on numbers and shapes that no model should give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgecam.detector.decoding import decode
from edgecam.detector.description import BoxFormat, Decoder, OutputSpec
from tests.detector.exact import ASK, CELLS, NONE, f32
from tests.detector.test_decoders import COLUMNS, DENSE, V5, v5_heads
from tests.detector.test_finished_decoders import ROWS, YOLO26

EVERY = {
    Decoder.DENSE: (DENSE, [COLUMNS]),
    Decoder.GRID: (
        OutputSpec(Decoder.GRID, activation=NONE, rows=True, objectness=True),
        [np.ones((1, CELLS, 7), np.float32)],
    ),
    Decoder.ANCHORS: (V5, v5_heads()),
    Decoder.YOLO_FASTEST: (
        OutputSpec(Decoder.YOLO_FASTEST, strides=(16,), anchors=V5.anchors[:1], activation=NONE),
        [np.ones((1, 4, 6, 12), np.float32)],
    ),
    Decoder.FASTESTDET: (OutputSpec(Decoder.FASTESTDET, activation=NONE), [np.ones((1, 8, 4, 6), np.float32)]),
    Decoder.ROWS: (replace(ROWS, columns=YOLO26), [np.ones((1, 5, 6), np.float32)]),
    Decoder.LISTS: (
        OutputSpec(Decoder.LISTS, activation=NONE, box=BoxFormat.XYXY),
        [np.ones((1, 5, 4), np.float32), np.ones((1, 5), np.float32), np.ones((1, 5), np.float32)],
    ),
    Decoder.BOXES_SCORES: (
        OutputSpec(Decoder.BOXES_SCORES, activation=NONE, rows=True),
        [np.ones((1, 5, 4), np.float32), np.ones((1, 5, 3), np.float32)],
    ),
    Decoder.OFFSETS: (
        OutputSpec(Decoder.OFFSETS, strides=(32, 64), anchors=(((20.0, 20.0),),) * 2, activation=NONE),
        [np.ones((1, 8, 3), np.float32), np.ones((1, 8, 4), np.float32)],
    ),
    Decoder.GFL: (OutputSpec(Decoder.GFL, activation=NONE, bins=2), [np.ones((1, 10, CELLS), np.float32)]),
}


@pytest.mark.parametrize("decoder", list(Decoder))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -1e38, 0.0])
def test_no_number_escapes(decoder: Decoder, value: float) -> None:
    spec, outputs = EVERY[decoder]
    found = decode([np.full_like(output, value) for output in outputs], spec, ASK)
    assert np.isfinite(found.boxes).all()
    assert np.isfinite(found.scores).all()
    assert (found.scores <= 1).all()
    assert (found.class_ids >= 0).all()


@pytest.mark.parametrize("decoder", list(Decoder))
@pytest.mark.parametrize(
    "shape", [(), (0,), (3,), (1, 0), (0, 4), (1, 1, 1), (2, 3, 4, 5), (1, 3, 0, 0), (1, 1, 1, 1, 1, 1)]
)
def test_a_wrong_shape_is_a_value_error(decoder: Decoder, shape: tuple[int, ...]) -> None:
    spec, outputs = EVERY[decoder]
    try:
        found = decode([np.zeros(shape, np.float32) for _ in outputs], spec, ASK)
    except (ValueError, IndexError):
        return
    assert len(found) == 0


def test_a_million_boxes_become_a_thousand() -> None:
    spec, _ = EVERY[Decoder.ROWS]
    rows = np.tile(f32([1, 2, 3, 4, 0.5, 0]), (1_000_000, 1))
    rows[77, 4] = 0.9
    found = decode([rows], spec, ASK)
    assert len(found) == ASK.max_candidates
    assert found.scores.max() == pytest.approx(0.9)
