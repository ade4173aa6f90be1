"""Inner channels of ShuffleNetV2's branches filled up with zeros for int8, where odd widths cost more than wider ones.

onnxruntime's int8 depthwise convolution takes 16 or 8 channels at a time and the rest one by one: of 58 channels two,
of 116 four. 64 and 128 compute the same faster (together 6 % of nano's instructions); in float they do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from edgecam.training.backbones import ShuffleBranch

if TYPE_CHECKING:
    from torch import Tensor

    from edgecam.training.layers import Conv

EASY = 8  # channels that are a multiple of this leave no rest
BLOCK = 16


@torch.no_grad()
def fill_branches(network: nn.Module) -> int:
    """Widen the inner channels of a folded network's branches in place; returns how many branches were widened."""
    branches = [module for module in network.modules() if isinstance(module, ShuffleBranch)]
    widened = [branch for branch in branches if branch.depthwise.out_channels % EASY]
    for branch in widened:
        missing = -branch.depthwise.out_channels % BLOCK
        for conv in (branch.pointwise1, branch.depthwise):
            conv.weight = _filled(conv.weight, missing, dim=0)
            assert conv.bias is not None
            conv.bias = _filled(conv.bias, missing, dim=0)
            conv.out_channels += missing
        branch.depthwise.in_channels += missing
        branch.depthwise.groups += missing
        _widen_input(branch.pointwise2, missing)
    return len(widened)


def _widen_input(conv: Conv, missing: int) -> None:
    conv.weight = _filled(conv.weight, missing, dim=1)
    conv.in_channels += missing


def _filled(tensor: Tensor, missing: int, *, dim: int) -> nn.Parameter:
    after = [0, 0] * (tensor.dim() - 1 - dim)
    return nn.Parameter(F.pad(tensor, [*after, 0, missing]))
