"""From three maps of a backbone (strides 8, 16, 32) to one map of equal width per stride of the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from edgecam.training.backbones import InvertedResidual
from edgecam.training.layers import Conv, Separable, enlarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig


class Ghost(nn.Module):
    """NanoDet-Plus's block: half of the channels by a 1x1, the other half by a cheap depthwise 3x3 of them, twice."""

    def __init__(self, channels_in: int, channels: int, kernel: int, config: ModelConfig) -> None:
        super().__init__()
        norm = "neck" in config.norm
        self.ghost1 = GhostHalf(channels_in, channels, config, act=True)
        self.ghost2 = GhostHalf(channels, channels, config, act=False)
        self.shortcut = Separable(channels_in, channels, kernel, act=None, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.ghost2(self.ghost1(x)) + self.shortcut(x)


class GhostHalf(nn.Module):
    def __init__(self, channels_in: int, channels: int, config: ModelConfig, *, act: bool) -> None:
        super().__init__()
        norm, half = "neck" in config.norm, channels // 2
        name = config.activation if act else None
        self.primary = Conv(channels_in, half, act=name, norm=norm)
        self.cheap = Conv(half, half, 3, groups=half, act=name, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], dim=1)


def _identity(width: int, config: ModelConfig) -> InvertedResidual:
    """A block that leaves its input as it is until it has learnt something."""
    block = InvertedResidual(width, width, config.deepen_hidden, 1, norm="laterals" in config.norm)
    nn.init.zeros_(block.project.weight)
    return block


class Neck(nn.Module):
    """1x1 laterals (`reduce`), then the paths that the configuration asks for, then stride 64 if it is wanted."""

    def __init__(self, channels: Sequence[int], config: ModelConfig) -> None:
        super().__init__()
        width, kernel, act, norm = config.neck_channels, config.neck_kernel, config.activation, "neck" in config.norm
        self.config = config
        self.ghost = config.neck.startswith("ghost")
        self.reduce = nn.ModuleList(Conv(c, width, act=act, norm="laterals" in config.norm) for c in channels)
        self.deepen = nn.ModuleList(
            nn.Sequential(*(_identity(width, config) for _ in range(count)))
            for count in config.deepen
            if any(config.deepen)
        )
        self.top_down, self.down, self.bottom_up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        if config.neck != "none":
            self.top_down.extend([self._node(kernel), self._node(config.fine_neck_kernel or kernel)])
        if config.neck.endswith("pan"):
            self.down.extend(Separable(width, width, kernel, stride=2, act=act, norm=norm) for _ in range(2))
            self.bottom_up.extend(self._node(kernel) for _ in range(2))
        self.extra_in = self.extra_out = None
        if 64 in config.strides:
            self.extra_in = Separable(width, width, kernel, stride=2, act=act, norm=norm)
            if config.neck.endswith("pan"):
                self.extra_out = Separable(width, width, kernel, stride=2, act=act, norm=norm)

    def _node(self, kernel: int) -> nn.Module:
        config = self.config
        if self.ghost:
            return Ghost(2 * config.neck_channels, config.neck_channels, kernel, config)
        return Separable(
            config.neck_channels,
            config.neck_channels,
            kernel,
            act=config.activation,
            norm="neck" in config.norm,
        )

    def _join(self, node: nn.Module, a: Tensor, b: Tensor) -> Tensor:
        return node(torch.cat([a, b], dim=1) if self.ghost else a + b)

    def laterals(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The three maps (B, neck_channels, H, W): all that a transplanted neck sees of its backbone."""
        reduced = [conv(x) for conv, x in zip(self.reduce, maps, strict=True)]
        return [blocks(x) for blocks, x in zip(self.deepen, reduced, strict=True)] if self.deepen else reduced

    def paths(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """From the laterals' maps to the head's."""
        p8, p16, p32 = maps
        outputs = [p8, p16, p32]
        if self.top_down:
            t16 = self._join(self.top_down[0], enlarge(p32, self.config.neck_upsample), p16)
            t8 = self._join(self.top_down[1], enlarge(t16, self.config.neck_upsample), p8)
            outputs = [t8, t16, p32]
        if self.bottom_up:
            o16 = self._join(self.bottom_up[0], self.down[0](outputs[0]), outputs[1])
            o32 = self._join(self.bottom_up[1], self.down[1](o16), p32)
            outputs = [outputs[0], o16, o32]
        if self.extra_in is not None:
            o64 = self.extra_in(p32)
            outputs.append(o64 if self.extra_out is None else o64 + self.extra_out(outputs[2]))
        return outputs

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return self.paths(self.laterals(maps))
