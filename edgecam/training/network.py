"""Backbone, RFCR, neck and head in one module whose input is the camera's picture itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from edgecam.training.backbones import TAPS, MobileNetV2, ShuffleNetV2
from edgecam.training.layers import Conv, Separable
from edgecam.training.necks import Neck
from edgecam.training.rfcr import RFCR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig

PRIOR = 0.01  # score of every class in an untrained head


class Head(nn.Module):
    """Per stride: depthwise-separable blocks and one 1x1 to the class logits and 4 * bins distance logits."""

    def __init__(self, stride: int, config: ModelConfig) -> None:
        super().__init__()
        width, norm = config.neck_channels, "head" in config.norm
        for index in range(config.head_depth):
            fine = stride == 8 and index == config.head_depth - 1
            kernel = (fine and config.fine_head_kernel) or config.head_kernel
            block = Separable(width, config.head_channels, kernel, act=config.activation, norm=norm)
            setattr(self, f"conv{index}", block)
            width = config.head_channels
        self.blocks = [f"conv{index}" for index in range(config.head_depth)]
        self.predict = Conv(width, len(config.labels) + 4 * config.bins)
        nn.init.normal_(self.predict.weight, std=0.01)
        assert self.predict.bias is not None
        nn.init.constant_(self.predict.bias[: len(config.labels)], -math.log((1 - PRIOR) / PRIOR))

    def forward(self, x: Tensor) -> Tensor:
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.predict(x)


class Network(nn.Module):
    """The whole detector. Input uint8 (B, H, W, 3) BGR, H and W multiples of 32."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = MobileNetV2(config) if config.backbone == "mobilenetv2" else ShuffleNetV2(config)
        self.rfcr = RFCR(self.backbone.channels, config) if config.rfcr else None
        self.neck = Neck(self.backbone.channels[1:] if self.rfcr is None else self.rfcr.channels, config)
        self.head = nn.ModuleDict({str(stride): Head(stride, config) for stride in config.strides})
        self.register_buffer("mean", torch.tensor(config.mean).view(1, 3, 1, 1), persistent=False)

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 (B, H, W, 3) to float (B, 3, H, W) without the mean (its standard deviation is in the weights)."""
        return images.permute(0, 3, 1, 2).float() - self.mean

    def taps(self, images: Tensor, count: int = TAPS) -> list[Tensor]:
        """The backbone's first `count` maps (B, C, H, W), at strides 4, 8, 16 and 32; no more of it is computed."""
        return self.backbone(self.prepare(images), count)

    def features(self, images: Tensor) -> list[Tensor]:
        """What the laterals take in: backbone's taps at strides 8, 16, 32, with RFCR's map beside each."""
        maps = self.taps(images)
        return maps[1:] if self.rfcr is None else self.rfcr(maps)

    def laterals(self, images: Tensor) -> list[Tensor]:
        return self.neck.laterals(self.features(images))

    def outputs(self, laterals: Sequence[Tensor]) -> list[Tensor]:
        """From the laterals' maps to the head's maps (B, C + 4 * bins, H, W), one per stride."""
        maps = self.neck.paths(laterals)
        return [head(x) for head, x in zip(self.head.values(), maps, strict=True)]

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.outputs(self.laterals(images))

    def fold(self) -> None:
        """Merge all batch-norm and RFCR's scalars into the convolutions; the outputs stay (in evaluation mode)."""
        for module in self.modules():
            if isinstance(module, Conv | RFCR):
                module.fold()


def cells(maps: Sequence[Tensor]) -> Tensor:
    """Join the head's maps to (B, C + 4 * bins, N): strides in order, each row-major."""
    return torch.cat([x.flatten(2) for x in maps], dim=2)


def part_of(name: str) -> str:
    """The part of a network that a parameter belongs to: backbone, rfcr, laterals, neck or head."""
    return "laterals" if name.startswith(("neck.reduce", "neck.deepen")) else name.split(".")[0]


def batch_norm_parts(network: Network) -> set[str]:
    """The parts of a network that still have batch-norm; "laterals" are the neck's 1x1."""
    parts = set()
    for name, module in network.named_modules():
        if isinstance(module, Conv) and module.norm is not None:
            parts.add(part_of(name))
    return parts


__all__ = ["Head", "Network", "Separable", "batch_norm_parts", "cells", "part_of"]
