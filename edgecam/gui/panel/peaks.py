"""What a plot draws of a series: the largest value of each piece of time, so that no spike is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def peaks(
    ages: NDArray[np.float64], values: NDArray[np.float64], *, window_s: float, points: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `points` (age in seconds, value), oldest first; pieces of time without a value are left out.

    Args:
        ages: seconds since each value, float64 (N,), 0 to `window_s`.
        values: not negative, float64 (N,).
    """
    if not len(values):
        return ages, values
    pieces = np.minimum((ages / window_s * points).astype(int), points - 1)
    largest = np.full(points, -1.0)
    np.maximum.at(largest, pieces, values)
    filled = np.flatnonzero(largest >= 0)[::-1]
    return (filled + 0.5) * window_s / points, largest[filled]
