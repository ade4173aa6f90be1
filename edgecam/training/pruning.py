"""Fewer inner channels in MobileNetV2's blocks: those that the rest can best replace go, and the rest is refitted.

The choice is optimal brain surgeon's (Hassibi and Stork, 1993) on the 1x1 that reads the inner channels: removing a
channel costs the square of its weights over its diagonal element of the inverse covariance, if all other weights
are refitted; one goes at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, MobileNetV2
from edgecam.training.fitting import fit_pointwise, linear

if TYPE_CHECKING:
    from torch import Tensor

    from edgecam.training.layers import Conv

RIDGE = 1e-4  # of the mean variance of the inner channels


@torch.no_grad()
def keep_channels(inner: Tensor, weight: Tensor, count: int) -> Tensor:
    """Choose `count` of the C channels of `inner` (B, C, H, W) that the 1x1 `weight` (K, C, 1, 1) should keep.

    Returns their indices, ascending.
    """
    rows = inner.transpose(0, 1).flatten(1).double()
    covariance = torch.cov(rows)
    covariance += RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
    inverse = torch.linalg.inv(covariance)
    weights = weight.flatten(1).double().clone()  # (K, C)
    alive = torch.ones(len(covariance), dtype=torch.bool)
    for _ in range(len(covariance) - count):
        diagonal = inverse.diagonal()
        cost = weights.square().sum(dim=0) / diagonal
        cost[~alive] = torch.inf
        gone = int(cost.argmin())
        column = inverse[:, gone] / diagonal[gone]
        weights -= weights[:, gone, None] * column
        inverse = inverse - torch.outer(column, inverse[gone])
        alive[gone] = False
        inverse[gone, gone] = 1.0  # never chosen again; keeps the division defined
        weights[:, gone] = 0.0
    return alive.nonzero().flatten()


@torch.no_grad()
def prune(target: MobileNetV2, source: MobileNetV2, x: Tensor) -> list[str]:
    """Give `target` the weights of `source`, which may have more inner channels; x is a prepared batch (B, 3, H, W).

    Block after block: each sees what the lighter network really gives, and aims at what the full one gives there.

    Raises:
        DataError: a block of the target is wider than the source's, or has no more inner channels than come in, or
            the source's expands nothing that could be pruned.
    """
    pruned = []
    ours = theirs = x
    for index, (block, full) in enumerate(zip(target.features, source.features, strict=True)):
        if isinstance(block, InvertedResidual) and isinstance(full, InvertedResidual):
            if block.depthwise.out_channels > full.depthwise.out_channels:
                raise DataError(f"features.{index}: has {full.depthwise.out_channels} inner channels to prune from")
            if block.expand is None and full.expand is not None:
                count = block.depthwise.out_channels
                raise DataError(f"features.{index}: with as many inner channels ({count}) as come in nothing expands")
            if full.expand is None and block.expand is not None:
                count = full.depthwise.out_channels
                raise DataError(f"features.{index}: its inner channels are the {count} that come in, none to prune")
            if block.depthwise.out_channels < full.depthwise.out_channels:
                _prune_block(block, full, ours, theirs)
                pruned.append(f"features.{index}")
            else:
                block.load_state_dict(full.state_dict())
        else:
            block.load_state_dict(full.state_dict())
        ours, theirs = block(ours), full(theirs)
    return pruned


def _prune_block(block: InvertedResidual, full: InvertedResidual, ours: Tensor, theirs: Tensor) -> None:
    assert full.expand is not None
    assert block.expand is not None
    kept = keep_channels(full.depthwise(full.expand(theirs)), full.project.weight, block.depthwise.out_channels)
    for lighter, heavier in ((block.expand, full.expand), (block.depthwise, full.depthwise)):
        lighter.weight.copy_(heavier.weight[kept])
        _bias(lighter).copy_(_bias(heavier)[kept])
    goal = linear(full.project, full.depthwise(full.expand(theirs)))
    if full.residual:
        goal = goal + theirs - ours
    inner = block.depthwise(block.expand(ours))
    fit_pointwise(block.project, inner, goal)


def _bias(conv: Conv) -> Tensor:
    assert conv.bias is not None
    return conv.bias
