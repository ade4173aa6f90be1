"""Whether a series grows: a slope that a single jump or outlier does not sway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_POINTS = 600  # of a longer series, evenly spread: there are as many pairs as half their square


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope per minute, and the change that it makes over the whole series."""

    per_minute: float
    total: float


def trend(times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """The median of the slopes of all pairs (Theil-Sen); 0 for fewer than two points."""
    t, v = np.asarray(times_s, np.float64), np.asarray(values, np.float64)
    if len(t) < 2:
        return Trend(0.0, 0.0)
    duration = float(t[-1] - t[0])
    every = -(-len(t) // MOST_POINTS)
    t, v = t[::every], v[::every]
    first, second = np.triu_indices(len(t), 1)
    apart = t[second] - t[first]
    slopes = (v[second] - v[first])[apart > 0] / apart[apart > 0]
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return Trend(slope * 60, slope * duration)
