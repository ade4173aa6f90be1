"""Lighter parts from heavier ones by least squares on what flows through them: smaller kernels, fewer head blocks.

Layer after layer in the order of the forward pass: each fit sees the inputs that the lighter network really gives, and
aims at what the heavier one computes there, so errors are made good on the way instead of adding up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgecam.training.layers import Conv
from edgecam.training.network import Head, Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RIDGE = 1e-4  # of the mean square of the inputs
POSITIONS = 16_384  # cells that a fit looks at
BACKGROUND = 0.02  # weight of a cell without an object where scores are fitted


@torch.no_grad()
def record(network: Network, names: Iterable[str], laterals: Sequence[Tensor]) -> dict[str, Tensor]:
    """Inputs of the named modules of neck and head for one batch of laterals' maps, in the order of their use."""
    seen: dict[str, Tensor] = {}
    hooks = []
    for name in names:

        def keep(_: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            seen[name] = inputs[0].detach().clone()

        hooks.append(network.get_submodule(name).register_forward_pre_hook(keep))
    try:
        network.outputs(laterals)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def linear(conv: Conv, x: Tensor) -> Tensor:
    """The convolution without its activation."""
    return F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, groups=conv.groups)


@torch.no_grad()
def fit_depthwise(conv: Conv, x: Tensor, goal: Tensor) -> None:
    """Fit a depthwise kernel and its bias so that x (B, C, H, W) gives `goal` (B, C, H', W')."""
    channels, size = x.shape[1], conv.kernel_size[0]
    patches = F.unfold(x, size, padding=size // 2, stride=conv.stride)  # (B, C * k * k, L)
    rows = patches.view(x.shape[0], channels, size * size, -1).permute(1, 0, 3, 2).reshape(channels, -1, size * size)
    wanted = goal.flatten(2).permute(1, 0, 2).reshape(channels, -1, 1)
    chosen = torch.randperm(rows.shape[1], generator=torch.Generator().manual_seed(0))[:POSITIONS]
    rows = torch.cat([rows, torch.ones_like(wanted)], dim=2)[:, chosen]
    solution = _ridge(rows, wanted[:, chosen])  # (C, k * k + 1, 1)
    conv.weight.copy_(solution[:, :-1, 0].view_as(conv.weight))
    assert conv.bias is not None
    conv.bias.copy_(solution[:, -1, 0])


@torch.no_grad()
def fit_pointwise(conv: Conv, x: Tensor, goal: Tensor, weights: Tensor | None = None) -> None:
    """Fit a 1x1 and its bias so that x (B, C, H, W) gives `goal` (B, K, H, W), cells weighted (B, H, W)."""
    rows = x.permute(0, 2, 3, 1).reshape(1, -1, x.shape[1])
    rows = torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2)
    wanted = goal.permute(0, 2, 3, 1).reshape(1, -1, goal.shape[1])
    if weights is not None:
        root = weights.reshape(1, -1, 1).sqrt()
        rows, wanted = rows * root, wanted * root
    solution = _ridge(rows, wanted)[0]
    conv.weight.copy_(solution[:-1].t().reshape_as(conv.weight))
    assert conv.bias is not None
    conv.bias.copy_(solution[-1])


def _ridge(inputs: Tensor, goal: Tensor) -> Tensor:
    """Batched least squares: (C, L, P), (C, L, K) to (C, P, K)."""
    covariance = inputs.transpose(1, 2) @ inputs
    ridge = RIDGE * covariance.diagonal(dim1=1, dim2=2).mean(dim=1).clamp(min=1e-12)
    covariance = covariance + ridge.view(-1, 1, 1) * torch.eye(covariance.shape[1])
    return torch.linalg.solve(covariance.double(), (inputs.transpose(1, 2) @ goal).double()).float()


@torch.no_grad()
def fit_lighter(target: Network, source: Network, images: Tensor) -> list[str]:
    """Fit what a transplant could not copy because the target is lighter: depthwise kernels and shorter heads.

    Both networks must have the same neck but for kernel sizes. Returns the names of the convolutions that were fitted.
    """
    laterals, their_laterals = target.laterals(images), source.laterals(images)
    theirs = {name: module for name, module in source.named_modules() if isinstance(module, Conv)}
    ours = {name: module for name, module in target.named_modules() if isinstance(module, Conv)}
    smaller = {n for n, conv in ours.items() if n in theirs and conv.kernel_size[0] < theirs[n].kernel_size[0]}
    # The 1x1 behind a smaller kernel makes good what the kernel cannot.
    affected = smaller | {n.replace("depthwise", "pointwise") for n in smaller}
    goals = {n: linear(theirs[n], x) for n, x in record(source, affected, their_laterals).items()}
    order = list(record(target, affected, laterals))
    for name in order:
        x = record(target, [name], laterals)[name]
        fit = fit_depthwise if name in smaller else fit_pointwise
        fit(ours[name], x, goals[name])
    return order + _fit_heads(target, source, laterals, their_laterals)


def _fit_heads(
    target: Network, source: Network, laterals: Sequence[Tensor], their_laterals: Sequence[Tensor]
) -> list[str]:
    """The last 1x1 of every head that has fewer blocks."""
    shorter = [
        f"head.{stride}.predict"
        for stride, head in target.head.items()
        if stride in source.head and _blocks(head) < _blocks(source.head[stride])
    ]
    inputs, theirs = record(target, shorter, laterals), record(source, shorter, their_laterals)
    for name in shorter:
        conv, fuller = target.get_submodule(name), source.get_submodule(name)
        assert isinstance(conv, Conv)
        assert isinstance(fuller, Conv)
        goal = linear(fuller, theirs[name])
        scores = goal[:, : len(target.config.labels)].amax(dim=1).sigmoid()
        fit_pointwise(conv, inputs[name], goal, BACKGROUND + scores)
    return shorter


def _blocks(head: nn.Module) -> int:
    assert isinstance(head, Head)
    return len(head.blocks)
