"""The laterals that imitate a teacher's maps best, found directly and not by steps over batches.

The backbone's taps are linear bottlenecks: their channels are so alike that a few directions carry nearly everything.
Steps of AdamW hardly move along the others, and end far from the optimum: mobile's laterals after 13,000 views leave
0.60 to 0.65 of the variance of NanoDet-Plus's maps, the best ones 0.53 to 0.59; with its neck and head behind them that
is 12.4 AP, and 14.8 to 16.0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from edgecam.training.precision import lowered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgecam.training.layers import Conv
    from edgecam.training.network import Network

CELLS = 3200  # of each stride, of a batch, at most, that are fitted on
ITERATIONS = 60  # of L-BFGS; on whitened features more give nothing
LEAST_DIRECTION = 1e-6  # of the largest variance; what varies less is noise of rounding
RIDGE = 1e-5


@torch.no_grad()
def fit_laterals(network: Network, teacher: Network, views: Iterable[Tensor]) -> None:
    """Replace the weights of the laterals' 1x1 by those whose maps are nearest to the teacher's, channel by channel.

    Args:
        network: folded, in evaluation mode; laterals with further blocks behind them are left as they are.
        views: batches, uint8 (B, H, W, 3), all of one size.
    """
    if network.neck.deepen:
        return
    generator = torch.Generator().manual_seed(0)
    inputs: list[list[Tensor]] = [[], [], []]
    goals: list[list[Tensor]] = [[], [], []]
    for images in views:
        with lowered(images.device.type):
            features, maps = network.features(images), teacher.laterals(images)
        for level, (ours, theirs) in enumerate(zip(features, maps, strict=True)):
            shape = (len(ours), *ours.shape[2:])
            chosen = torch.rand(shape, generator=generator).to(ours.device) < CELLS / math.prod(shape)
            inputs[level].append(ours.movedim(1, -1)[chosen].float())
            goals[level].append(theirs.movedim(1, -1)[chosen].float())
    for conv, x, goal in zip(network.neck.reduce, inputs, goals, strict=True):
        _fit(conv, torch.cat(x), torch.cat(goal))


def _fit(conv: Conv, x: Tensor, goal: Tensor) -> None:
    """Give `conv` the weights for which its outputs for `x` (N, in) are nearest to `goal` (N, out).

    By L-BFGS (Nocedal, "Updating quasi-Newton matrices with limited storage", 1980) in coordinates in which the inputs
    are uncorrelated and of one size, from the solution without activation.
    """
    mean = x.mean(dim=0)
    variances, directions = torch.linalg.eigh(torch.cov(x.T).double())
    whitening = (directions / variances.clamp(min=LEAST_DIRECTION * float(variances[-1])).sqrt()).float()
    x = (x - mean) @ whitening
    deviation = goal.std(dim=0)
    deviation = torch.maximum(deviation, 0.1 * deviation.mean() + 1e-9)
    goal = goal / deviation
    bias = goal.mean(dim=0)
    weight = x.T @ (goal - bias) / len(x)
    weight, bias = _descend(x, goal, weight, bias, conv.leak)
    weight = (whitening @ weight) * deviation
    conv.weight.copy_(weight.T.view_as(conv.weight))
    assert conv.bias is not None
    conv.bias.copy_(bias * deviation - mean @ weight)


@torch.enable_grad()
def _descend(x: Tensor, goal: Tensor, weight: Tensor, bias: Tensor, leak: float) -> tuple[Tensor, Tensor]:
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe")

    def error() -> Tensor:
        optimizer.zero_grad()
        difference = F.leaky_relu(torch.addmm(bias, x, weight), leak) - goal
        loss = difference.square().mean() + RIDGE * weight.square().mean()
        loss.backward()
        return loss

    optimizer.step(error)
    return weight.detach(), bias.detach()
