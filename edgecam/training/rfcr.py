"""Raw feature collection and redistribution (YOLO-ReT, WACV 2022): all scales meet once at stride 16."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from edgecam.training.layers import Conv, enlarge, reduce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig


class RFCR(nn.Module):
    """Collects strides 4 (optional), 8, 16, 32 and returns each of 8, 16, 32 with the fused map beside it."""

    def __init__(self, channels: Sequence[int], config: ModelConfig) -> None:
        super().__init__()
        norm = "rfcr" in config.norm
        self.config = config
        taps = channels if config.shortcut else channels[1:]
        self.collect = nn.ModuleList(Conv(width, config.collect, bias=False) for width in taps)
        self.scales: nn.Parameter | None = nn.Parameter(torch.ones(len(taps)))  # unconstrained, as in the paper's code
        self.depthwise = Conv(config.collect, config.collect, 5, groups=config.collect, act="relu6", norm=norm)
        self.pointwise = Conv(config.collect, config.redistribute, act="relu6", norm=norm)
        self.channels = tuple(width + config.redistribute for width in channels[1:])

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        taps = list(maps) if self.config.shortcut else list(maps[1:])
        exponents = (2, 1, 0, -1) if self.config.shortcut else (1, 0, -1)  # log2 of stride 16 / stride
        total: Tensor | None = None
        for index, (tap, conv, exponent) in enumerate(zip(taps, self.collect, exponents, strict=True)):
            scale = None if self.scales is None else self.scales[index]
            x = self._to_stride_16(tap, conv, scale, exponent)
            total = x if total is None else total + x  # chained: a `Sum` node would not fuse
        assert total is not None
        fused = self.pointwise(self.depthwise(total))
        _, s8, s16, s32 = maps
        return [
            torch.cat([s8, enlarge(fused, self.config.upsample)], dim=1),
            torch.cat([s16, fused], dim=1),
            torch.cat([s32, reduce(fused, self.config.pool)], dim=1),
        ]

    def _to_stride_16(self, x: Tensor, conv: nn.Module, scale: Tensor | None, exponent: int) -> Tensor:
        first = self.config.resample_first or exponent == 2  # the code pools stride 4 before its 1x1, at a sixteenth
        if not first:
            x = self._weighted(conv(x), scale)
        if exponent > 0:
            x = reduce(x, self.config.pool, 2**exponent)
        elif exponent < 0:
            x = enlarge(x, self.config.upsample)
        return self._weighted(conv(x), scale) if first else x

    @staticmethod
    def _weighted(x: Tensor, scale: Tensor | None) -> Tensor:
        # Right after the 1x1, not after the pooling: the same for positive scalars, and it folds for negative ones too.
        return x if scale is None else x * scale

    @torch.no_grad()
    def fold(self) -> None:
        """Merge the learned scalars into the collecting convolutions."""
        if self.scales is None:
            return
        for index, conv in enumerate(self.collect):
            assert isinstance(conv, Conv)
            conv.weight.mul_(self.scales[index])
        self.scales = None
