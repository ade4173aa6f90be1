"""The cells of a detector's levels, and what their scores are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecam.detector.description import Activation
from edgecam.detector.recognition.match import span

if TYPE_CHECKING:
    from collections.abc import Sequence

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (16, 32), (4, 8, 16, 32), (16, 32, 64), (32,), (16,), (8,), (8, 16))


def cells_of(input_hw: tuple[int, int], strides: Sequence[int]) -> int:
    return sum(-(-input_hw[0] // stride) * -(-input_hw[1] // stride) for stride in strides)


def probable(scores: Any) -> bool:
    """All scores lie within 0 to 1: they are probabilities already."""
    low, high = span(scores)
    return low >= 0 and high <= 1


def activation_of(scores: Any) -> Activation:
    return Activation.NONE if probable(scores) else Activation.SIGMOID


def listed(strides: Sequence[int]) -> str:
    return "/".join(str(stride) for stride in strides)
