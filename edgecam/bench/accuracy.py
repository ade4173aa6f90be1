"""How accurate a model is at an input size: measured, between two measured sizes, or unknown."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.bench.figures import number

if TYPE_CHECKING:
    from collections.abc import Mapping

# Sizes that cost as much count as one: frames choose the input's shape themselves, within this share of its area.
SAME_AREA = 0.06
_LARGEST = 1e6  # no accuracy; and neither infinite nor not a number


class Known(enum.Enum):
    """How well an accuracy is known."""

    MEASURED = "measured"
    BETWEEN = "between"  # interpolated
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class AccuracyAt:
    """An accuracy as files give it (AP in percent of those of edgecam); `value` is None where it is not known."""

    value: float | None = None
    known: Known = Known.UNKNOWN


def accuracy_at(accuracy: Mapping[str, object], input_hw: tuple[int, int], own_hw: tuple[int, int]) -> AccuracyAt:
    """The accuracy at `input_hw`.

    Args:
        accuracy: of a model's description. Figures by size ("320x320", height first) hold for their size; others are
            taken for those of the model's own size. Where there are figures by "320x320 shaped", measured with inputs
            of that area that have each photograph's own shape, as the window gives them, they alone count: the two
            ways are not to be compared.
        own_hw: the size that the model recommends.
    """
    area = input_hw[0] * input_hw[1]
    by_area = _by_area(accuracy, own_hw)
    same = [one for one in by_area if abs(one / area - 1) <= SAME_AREA]
    if same:
        return AccuracyAt(by_area[min(same, key=lambda one: abs(one - area))], Known.MEASURED)
    below = max((one for one in by_area if one < area), default=None)
    above = min((one for one in by_area if one > area), default=None)
    if below is None or above is None:
        return AccuracyAt()  # beyond what was measured: nobody knows
    share = math.log(area / below) / math.log(above / below)
    return AccuracyAt(by_area[below] + share * (by_area[above] - by_area[below]), Known.BETWEEN)


def accuracy_text(at: AccuracyAt) -> str:
    """As tables show it: 24.7 measured, ≈ 24.7 between two measured sizes, – not known."""
    if at.value is None:
        return "–"
    return number(at.value) if at.known is not Known.BETWEEN else f"≈ {number(at.value)}"


def first_number(accuracy: object) -> float | None:
    """The first number in free JSON, however deep; None where there is none."""
    if isinstance(accuracy, bool) or accuracy is None:
        return None
    if isinstance(accuracy, int | float):
        return float(accuracy) if abs(accuracy) < _LARGEST else None
    values = accuracy.values() if isinstance(accuracy, dict) else accuracy if isinstance(accuracy, list) else ()
    return next((number for value in values if (number := first_number(value)) is not None), None)


def _by_area(accuracy: Mapping[str, object], own_hw: tuple[int, int]) -> dict[int, float]:
    """The first figure of each size, by the size's area."""
    plain: dict[int, float] = {}
    shaped: dict[int, float] = {}
    for key, value in accuracy.items():
        size = re.fullmatch(r"(\d{1,5})x(\d{1,5})( shaped)?", key)
        if size and (figure := first_number(value)) is not None:
            (shaped if size[3] else plain)[int(size[1]) * int(size[2])] = figure
    figures = shaped or plain
    if not figures and (figure := first_number(dict(accuracy))) is not None:
        figures = {own_hw[0] * own_hw[1]: figure}
    return {area: figure for area, figure in figures.items() if area > 0}
