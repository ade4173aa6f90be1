"""Measures a network's maps and lets it round them, and its weights, as int8 will."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, ShuffleBranch, ShuffleNetV2
from edgecam.training.layers import Conv
from edgecam.training.necks import Ghost, GhostHalf
from edgecam.training.rounding import Grid, Rounding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgecam.training.network import Network

BATCH = 8
Ranges = dict[nn.Module, tuple[float, float]]


def add_rounding(network: Network, images: Tensor) -> None:
    """Round in a folded network's forward pass from now on, by its ranges on images (B, H, W, 3).

    Raises:
        DataError: the network still has batch-norm.
    """
    if any(conv.norm is not None for conv in network.modules() if isinstance(conv, Conv)):
        raise DataError("--int8 comes last: train the network to the end of its batch-norm first")
    given, taken = _ranges(network, images)
    stem = network.backbone.conv1 if isinstance(network.backbone, ShuffleNetV2) else None
    for module, (low, high) in given.items():
        if isinstance(module, Conv):
            before = Grid.of(low / module.leak, high) if module.leak and module is not stem else None
            # ShuffleNetV2's first convolution has exact sums (`int8_stem`): only its weights are rounded.
            module.rounding = Rounding(before, None if module is stem else Grid.of(low, high))
        else:
            module.register_forward_hook(partial(_round_output, Grid.of(low, high)))
    for module, (low, high) in taken.items():
        module.register_forward_pre_hook(partial(_round_input, Grid.of(low, high)))


def _round_output(grid: Grid, _: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return grid.round(output)


def _round_input(grid: Grid, _: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    return grid.round(inputs[0])


def _joined(network: Network) -> Iterator[nn.Module]:
    """What reads maps that were joined from parts, or pooled: int8 rounds them anew, to one grid."""
    for module in network.modules():
        if isinstance(module, ShuffleBranch | Ghost):
            yield module
    if network.rfcr is not None:
        yield from network.neck.reduce


@torch.no_grad()
def _ranges(network: Network, images: Tensor) -> tuple[Ranges, Ranges]:
    """Lowest and highest value, as mean over the images: of what convolutions, sums and halves of ghost blocks give,
    and of what readers of joined maps take in."""
    lows: dict[tuple[nn.Module, bool], list[Tensor]] = {}
    highs: dict[tuple[nn.Module, bool], list[Tensor]] = {}

    def note(module: nn.Module, x: Tensor, *, given: bool) -> None:
        lows.setdefault((module, given), []).append(x.flatten(1).amin(dim=1))
        highs.setdefault((module, given), []).append(x.flatten(1).amax(dim=1))

    hooks = [
        module.register_forward_hook(lambda m, _, output: note(m, output, given=True))
        for module in network.modules()
        if isinstance(module, Conv | Ghost | GhostHalf) or (isinstance(module, InvertedResidual) and module.residual)
    ]
    hooks += [
        module.register_forward_pre_hook(lambda m, inputs: note(m, inputs[0], given=False))
        for module in _joined(network)
    ]
    try:
        for some in images.split(BATCH):
            network(some)
    finally:
        for hook in hooks:
            hook.remove()
    ranges = {key: (float(torch.cat(lows[key]).mean()), float(torch.cat(highs[key]).mean())) for key in lows}
    given, taken = ({m: r for (m, which), r in ranges.items() if which is side} for side in (True, False))
    return given, taken
