"""Turning and mirroring."""

from __future__ import annotations

import numpy as np
import pytest

from edgecam.camera.orientation import Orientation
from edgecam.frames import Frame

# One row: left, middle, right.
IMAGE = np.array([[[1] * 3, [2] * 3, [3] * 3], [[4] * 3, [5] * 3, [6] * 3]], np.uint8)


@pytest.mark.parametrize(
    ("rotation", "mirror", "expected"),
    [
        (0, False, [[1, 2, 3], [4, 5, 6]]),
        (90, False, [[4, 1], [5, 2], [6, 3]]),
        (180, False, [[6, 5, 4], [3, 2, 1]]),
        (270, False, [[3, 6], [2, 5], [1, 4]]),
        (0, True, [[3, 2, 1], [6, 5, 4]]),
        (90, True, [[1, 4], [2, 5], [3, 6]]),
    ],
)
def test_every_way(rotation: int, mirror: bool, expected: list[list[int]]) -> None:
    frame = Frame(IMAGE.copy(), 7, 1.5, 0.25)
    turned = Orientation(rotation, mirror).apply(frame)
    assert turned.image[..., 0].tolist() == expected
    assert (turned.frame_id, turned.captured_at, turned.position_s) == (7, 1.5, 0.25)
    assert turned.image.flags.c_contiguous
    assert not turned.image.flags.writeable


def test_nothing_to_do_costs_nothing() -> None:
    frame = Frame(IMAGE.copy(), 0, 0.0)
    assert Orientation().apply(frame) is frame


def test_other_angles_are_refused() -> None:
    with pytest.raises(ValueError, match="not by 45"):
        Orientation(45)
