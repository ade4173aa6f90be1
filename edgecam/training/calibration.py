"""Measures a network's maps and lets it round them, and its weights, as int8 will."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, ShuffleNetV2
from edgecam.training.layers import Conv
from edgecam.training.necks import Ghost
from edgecam.training.rounding import Grid, Rounding

if TYPE_CHECKING:
    from edgecam.training.network import Network


def add_rounding(network: Network, images: Tensor) -> None:
    """Round in a folded network's forward pass from now on, by its ranges on images (B, H, W, 3).

    Raises:
        DataError: the network still has batch-norm.
    """
    if any(conv.norm is not None for conv in network.modules() if isinstance(conv, Conv)):
        raise DataError("--int8 comes last: train the network to the end of its batch-norm first")
    ranges = _ranges(network, images)
    stem = network.backbone.conv1 if isinstance(network.backbone, ShuffleNetV2) else None
    for module, (low, high) in ranges.items():
        if isinstance(module, Conv):
            before = Grid.of(low / module.leak, high) if module.leak and module is not stem else None
            # ShuffleNetV2's first convolution has exact sums (`int8_stem`): only its weights are rounded.
            module.rounding = Rounding(before, None if module is stem else Grid.of(low, high))
        elif isinstance(module, InvertedResidual | Ghost):
            module.grid = Grid.of(low, high)


@torch.no_grad()
def _ranges(network: Network, images: Tensor) -> dict[nn.Module, tuple[float, float]]:
    """Lowest and highest value of what each convolution and each sum gives, as mean over the images."""
    found: dict[nn.Module, tuple[float, float]] = {}

    def keep(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        flat = output.flatten(1)
        found[module] = (float(flat.amin(dim=1).mean()), float(flat.amax(dim=1).mean()))

    kinds = (Conv, InvertedResidual, Ghost)
    hooks = [module.register_forward_hook(keep) for module in network.modules() if isinstance(module, kinds)]
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found
