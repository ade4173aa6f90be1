"""Decoding of GFL heads, on hand-made cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecam.detector.gfl import cell_points, decode_gfl
from tests.tiny_models import gfl_cells

HW = (64, 96)
STRIDES = (8, 16)


def decode(cells: np.ndarray, **changes: Any) -> Any:
    options: dict[str, Any] = {
        "input_hw": HW,
        "strides": STRIDES,
        "bins": 8,
        "cell_offset": 0.0,
        "logits": True,
        "score_floor": 0.05,
    }
    return decode_gfl(cells, **(options | changes))


def cells(*objects: tuple, classes: int = 3) -> np.ndarray:
    return gfl_cells(HW, STRIDES, classes=classes, bins=8, objects=objects)


def test_points_are_row_major_level_after_level() -> None:
    points, sizes = cell_points((16, 24), (8, 16), 0.5)
    assert points.tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12], [8, 8], [24, 8]]
    assert sizes.tolist() == [8] * 6 + [16] * 2


@pytest.mark.parametrize(
    ("thing", "offset", "box"),
    [
        ((8, 2, 3, 1, 2.0, (1, 1, 2, 2)), 0.0, [16, 8, 40, 32]),  # stride 8, row 2, column 3: point (24, 16)
        ((8, 2, 3, 1, 2.0, (1, 1, 2, 2)), 0.5, [20, 12, 44, 36]),  # the same cell's centre
        ((16, 1, 4, 2, 2.0, (0, 0, 7, 3)), 0.0, [64, 16, 176, 64]),  # last bin; beyond the input: clipped elsewhere
        ((8, 0, 0, 0, 2.0, (0, 0, 0, 0)), 0.0, [0, 0, 0, 0]),  # no size at all
    ],
)
def test_one_object(thing: tuple, offset: float, box: list[float]) -> None:
    found = decode(cells(thing), cell_offset=offset)
    assert found.boxes == pytest.approx(np.array([box]), abs=1e-6)
    assert found.class_ids.tolist() == [thing[3]]
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_a_distance_is_the_mean_of_its_distribution() -> None:
    raw = cells((8, 2, 3, 1, 2.0, (1, 1, 2, 2)))
    index = 2 * 12 + 3
    raw[3:11, index] = np.log([0.25, 0.5, 0.25, 1e-30, 1e-30, 1e-30, 1e-30, 1e-30])
    assert decode(raw).boxes[0, 0] == pytest.approx(24 - 8 * 1.0)
    raw[3:11, index] = np.log([0.5, 1e-30, 1e-30, 0.5, 1e-30, 1e-30, 1e-30, 1e-30])
    assert decode(raw).boxes[0, 0] == pytest.approx(24 - 8 * 1.5)


def test_nothing_above_the_floor() -> None:
    found = decode(cells())
    assert found.boxes.shape == (0, 4)
    assert found.class_ids.dtype == np.int64


def test_the_floor_is_a_probability_with_and_without_logits() -> None:
    raw = cells((8, 0, 0, 0, -1.0, (1, 1, 1, 1)), (8, 0, 1, 0, -2.0, (1, 1, 1, 1)))  # 0.269 and 0.119
    assert decode(raw, score_floor=0.2).scores.tolist() == pytest.approx([0.2689], abs=1e-4)
    raw[:3] = 0
    raw[0, :2] = [0.3, 0.1]
    assert decode(raw, score_floor=0.2, logits=False).scores.tolist() == pytest.approx([0.3])


def test_the_best_class_of_a_cell_or_each_above_the_floor() -> None:
    raw = cells((8, 0, 0, 0, 1.0, (1, 1, 1, 1)), (8, 0, 0, 2, 2.0, (1, 1, 1, 1)))
    assert decode(raw).class_ids.tolist() == [2]
    assert sorted(decode(raw, multi_label=True).class_ids.tolist()) == [0, 2]


def test_only_the_best_candidates_are_kept() -> None:
    raw = cells(*((8, 0, column, 0, float(column), (1, 1, 1, 1)) for column in range(12)))
    best = decode(raw, max_candidates=3)
    assert sorted(best.boxes[:, 0].tolist()) == [8 * 8, 9 * 8, 10 * 8]


def test_infinities_and_nan_are_left_out() -> None:
    raw = cells((8, 0, 0, 0, 2.0, (1, 1, 1, 1)), (8, 0, 2, 0, 2.0, (1, 1, 1, 1)))
    raw[3:, 0] = np.nan
    with np.errstate(invalid="ignore"):
        assert decode(raw).boxes.tolist() == [[8, -8, 24, 8]]


def test_a_wrong_number_of_cells_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected 120 for an input of 96x64"):
        decode(cells()[:, 1:])
