"""Brings the channels of inner maps to like ranges before int8: one scale per map then suits all of them.

Between two convolutions that only read each other, a positive factor per channel can move from one to the other
(through LeakyReLU, ReLU or nothing, not ReLU6), and the network computes the same (Nagel et al., "Data-Free
Quantization", ICCV 2019, section 4.1; here with measured ranges). The same holds for a sum whose readers are all
depthwise: at stride 8 of NanoDet-Plus's neck one channel ranges eleven times as far as the median one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from edgecam.training.backbones import ShuffleBranch, ShuffleUnit
from edgecam.training.layers import Conv, Separable
from edgecam.training.network import Head, Network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from torch import nn

    from edgecam.training.necks import Ghost

HOMOGENEOUS = (None, "relu", "leaky_relu")
EQUALISED_ON = 16  # photographs
LARGEST_STEP = 32.0  # factors beyond it would only blow up noise of dead channels


def pairs(network: Network) -> Iterator[tuple[Conv, Conv]]:
    """Convolutions of which the second is the only reader of the first, in the order of the forward pass."""
    for module in network.modules():
        if isinstance(module, ShuffleBranch):
            yield module.pointwise1, module.depthwise
            yield module.depthwise, module.pointwise2
        elif isinstance(module, ShuffleUnit) and module.branch1 is not None:
            yield module.branch1.depthwise, module.branch1.pointwise
        elif isinstance(module, Separable):
            yield module.depthwise, module.pointwise
        elif isinstance(module, Head):
            blocks = [getattr(module, name) for name in module.blocks]
            for first, second in zip(blocks, [*blocks[1:], None], strict=True):
                yield first.pointwise, module.predict if second is None else second.depthwise


@torch.no_grad()
def equalise(network: Network, images: Tensor) -> int:
    """Equalise a folded network in place by its ranges on images (B, H, W, 3); returns how many maps were changed."""
    chosen = [(a, b) for a, b in pairs(network) if a.act in HOMOGENEOUS and a.norm is None]
    ranges = _ranges(network, [a for a, _ in chosen], images)
    for (first, second), reach in zip(chosen, ranges, strict=True):
        depthwise = second.groups == second.in_channels
        weights = second.weight.abs().amax(dim=(1, 2, 3) if depthwise else (0, 2, 3))
        factor = _factor(reach, weights, depthwise=depthwise)
        first.weight.div_(factor.view(-1, 1, 1, 1))
        assert first.bias is not None
        first.bias.div_(factor)
        second.weight.mul_(factor.view((-1, 1, 1, 1) if depthwise else (1, -1, 1, 1)))
    sums = [(ghost, readers) for ghost, readers in ghost_sums(network) if ghost.shortcut.pointwise.norm is None]
    for (ghost, readers), reach in zip(sums, _ranges(network, [ghost for ghost, _ in sums], images), strict=True):
        _equalise_sum(ghost, readers, _factor(reach, reach, depthwise=True))
    return len(chosen) + len(sums)


def ghost_sums(network: Network) -> Iterator[tuple[Ghost, list[Conv]]]:
    """The neck's blocks whose sum only depthwise convolutions read, each with these."""
    neck: Any = network.neck
    if not neck.ghost or network.config.head_depth < 1:
        return
    blocks = [neck.top_down[1], *neck.bottom_up]
    for index, (block, head) in enumerate(zip(blocks, network.head.values(), strict=False)):
        paths = [*neck.down[index : index + 1]]
        if block is blocks[-1] and neck.bottom_up and neck.extra_out is not None:
            paths.append(neck.extra_out)
        yield block, [module.depthwise for module in (head.conv0, *paths)]


def _equalise_sum(ghost: Ghost, readers: Sequence[Conv], factor: Tensor) -> None:
    """Divide each channel of a block's sum by its factor, and let its readers multiply with it."""
    primary, cheap, shortcut = ghost.ghost2.primary, ghost.ghost2.cheap, ghost.shortcut.pointwise
    first, second = factor.chunk(2)
    for conv, divisor in ((primary, first), (cheap, second), (shortcut, factor)):
        assert conv.bias is not None
        conv.weight.div_(divisor.view(-1, 1, 1, 1))
        conv.bias.div_(divisor)
    cheap.weight.mul_(first.view(-1, 1, 1, 1))  # it reads the first half
    for reader in readers:
        reader.weight.mul_(factor.view(-1, 1, 1, 1))


def _factor(reach: Tensor, weights: Tensor, *, depthwise: bool) -> Tensor:
    """Towards like ranges of the map; where the reader's weights share a scale per output, half of the way to both."""
    known = reach > 0
    factor = reach / reach[known].mean() if known.any() else torch.ones_like(reach)
    if not depthwise:  # a depthwise kernel has a scale of its own per channel
        factor = torch.sqrt(factor / (weights / weights.mean().clamp(min=1e-12)).clamp(min=1e-6))
    factor = torch.where(known, factor, torch.ones_like(factor))
    return factor.clamp(1 / LARGEST_STEP, LARGEST_STEP)


def _ranges(network: Network, modules: Sequence[nn.Module], images: Tensor) -> list[Tensor]:
    """Largest magnitude (C,) of each module's output; of a convolution's before LeakyReLU, after ReLU.

    ReLU is part of an int8 convolution; LeakyReLU is not, and the range below zero, ten times as wide as what is left
    of it, sets the step of what it reads.
    """
    found: dict[int, Tensor] = {}
    hooks = []
    for module in modules:

        def keep(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
            below = output.clamp(max=0).abs() / ((isinstance(module, Conv) and module.leak) or 1.0)
            found[id(module)] = torch.maximum(output, below).amax(dim=(0, 2, 3))

        hooks.append(module.register_forward_hook(keep))
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [found[id(module)] for module in modules]
