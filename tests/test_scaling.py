"""Resizing: sizes, and that no detail is skipped."""

from __future__ import annotations

import numpy as np
import pytest

from edgecam.scaling import Scaler


@pytest.mark.parametrize(
    ("from_wh", "to_wh"),
    [
        ((1280, 720), (416, 234)),
        ((1280, 720), (1280, 720)),
        ((1280, 720), (640, 360)),
        ((1280, 720), (320, 180)),
        ((640, 480), (1280, 960)),
        ((1921, 1081), (320, 180)),
        ((3840, 2160), (320, 180)),
        ((1, 1), (320, 320)),
        ((10000, 3), (320, 1)),
    ],
)
def test_size_and_mean_brightness(from_wh: tuple[int, int], to_wh: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (from_wh[1], from_wh[0], 3), dtype=np.uint8)
    out = np.zeros((to_wh[1], to_wh[0], 3), np.uint8)
    scaler = Scaler(from_wh, to_wh)
    result = scaler(image, out)
    assert result.shape == out.shape
    assert np.array_equal(result, out)
    assert np.array_equal(scaler(image), out)
    assert abs(float(out.mean()) - float(image.mean())) < 3


def test_a_picture_of_fine_stripes_becomes_grey_instead_of_sparkling() -> None:
    stripes = np.zeros((720, 1280, 3), np.uint8)
    stripes[:, ::2] = 255
    small = Scaler((1280, 720), (416, 234))(stripes)
    assert small.min() > 100
    assert small.max() < 155


def test_writing_into_a_part_of_a_larger_picture() -> None:
    canvas = np.full((256, 416, 3), 114, np.uint8)
    Scaler((1280, 720), (416, 234))(np.full((720, 1280, 3), 200, np.uint8), canvas[11:245])
    assert (canvas[11:245] == 200).all()
    assert (canvas[:11] == 114).all()
    assert (canvas[245:] == 114).all()
