"""A camera's time stamps: true ones are kept, false ones do no harm."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.stamps import Stamps

if TYPE_CHECKING:
    from collections.abc import Sequence

PERIOD_S, AGE_S = 0.01, 0.03


def moments(stamps: Sequence[float | None]) -> list[float]:
    """When frames were captured that arrive in this rhythm from 100 s on."""
    clock = Stamps()
    return [clock.moment(stamp, 100 + n * PERIOD_S) for n, stamp in enumerate(stamps)]


def true_stamp(n: int) -> float:
    return 100 + n * PERIOD_S - AGE_S


def test_true_stamps_are_kept() -> None:
    stamps = [true_stamp(n) for n in range(5)]
    assert moments(stamps) == stamps


@pytest.mark.parametrize(
    "false",
    [None, 200.0, 97.0, true_stamp(1), true_stamp(0)],
    ids=["missing", "ahead", "long past", "repeated", "backwards"],
)
def test_one_false_stamp_counts_as_now_and_the_true_ones_come_through_again(false: float | None) -> None:
    stamps: list[float | None] = [true_stamp(n) for n in range(10)]
    stamps[2] = false
    seen = moments(stamps)
    assert seen[2] == 100 + 2 * PERIOD_S
    assert all(earlier < later for earlier, later in pairwise(seen))
    assert seen[6:] == stamps[6:]  # by then they have passed the moment that was taken for the false one


def test_a_stamp_that_never_moves_is_no_stamp() -> None:
    assert moments([99.99] * 5)[1:] == [100 + n * PERIOD_S for n in range(1, 5)]
