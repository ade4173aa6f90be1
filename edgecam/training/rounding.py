"""The rounding that int8 does to weights and maps, for a network to learn with ("quantisation-aware training").

Each convolution's weights are rounded to 8 bits per output channel and each map to the 256 steps of a range measured
beforehand; gradients pass as if nothing had been rounded, and are zero outside of the range (Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

STEPS = 255  # of a map, uint8
WEIGHT_LIMIT = 127  # int8, symmetric


@dataclass(frozen=True)
class Grid:
    """The 256 values of a map: `(step - zero) * scale` for steps 0 to 255."""

    scale: float
    zero: int

    @classmethod
    def of(cls, low: float, high: float) -> Self:
        """The grid of a range; it always holds 0 exactly, as padding needs it."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = (high - low) / STEPS or 1.0
        return cls(scale, round(-low / scale))

    def round(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x.float(), self.scale, self.zero, 0, STEPS)


@dataclass(frozen=True)
class Rounding:
    """What int8 does to a convolution beside its weights.

    Attributes:
        before: grid of its result before LeakyReLU, which is a node of its own; None for other activations.
        after: grid of what it gives; None where that stays in float.
    """

    before: Grid | None
    after: Grid | None


def rounded_weight(weight: Tensor) -> Tensor:
    """Convolution weights in 8 bits, with a step of its own per output channel."""
    scale = weight.detach().abs().amax(dim=(1, 2, 3)).clamp(min=1e-12) / WEIGHT_LIMIT
    zeros = torch.zeros(len(scale), dtype=torch.int32, device=weight.device)
    return torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, -WEIGHT_LIMIT, WEIGHT_LIMIT)
