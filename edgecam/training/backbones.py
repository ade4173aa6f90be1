"""The two backbones; each returns its maps at strides 4, 8, 16 and 32, and can leave out its last, heaviest layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from edgecam.errors import DataError
from edgecam.training.layers import Conv

if TYPE_CHECKING:
    from edgecam.training.config import Activation, ModelConfig

# expansion, channels, repeats, stride of the first: MobileNetV2's table 2
INVERTED_RESIDUALS: Final = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
TAPS: Final = 4  # maps of a backbone, at strides 4, 8, 16 and 32
MOBILENET_TAPS: Final = (3, 6, 13)  # `features[...]` at strides 4, 8, 16
MOBILENET_TRUNCATED: Final = 17  # features[:17]: without the 320 block and the 1280 convolution
SHUFFLENET_CHANNELS: Final = {0.5: (48, 1024), 1.0: (116, 1024), 1.5: (176, 1024), 2.0: (244, 2048)}
SHUFFLENET_UNITS: Final = (4, 8, 4)


def round_channels(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of 8 that is not more than 10 % below, as MobileNet's authors round."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class InvertedResidual(nn.Module):
    """1x1 to `hidden` (none where that is the input's width), depthwise 3x3, linear 1x1; a sum where shapes allow."""

    def __init__(self, channels_in: int, channels_out: int, hidden: int, stride: int, *, norm: bool) -> None:
        super().__init__()
        self.expand = Conv(channels_in, hidden, act="relu6", norm=norm) if hidden != channels_in else None
        self.depthwise = Conv(hidden, hidden, 3, stride=stride, groups=hidden, act="relu6", norm=norm, same=stride == 2)
        self.project = Conv(hidden, channels_out, norm=norm)
        self.residual = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """`features` as in torchvision; taps are linear bottlenecks."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        norm = "backbone" in config.norm
        channels = round_channels(32 * config.width)
        features: list[nn.Module] = [Conv(3, channels, 3, stride=2, act="relu6", norm=norm, same=True)]
        widths = [channels]
        hidden = iter(config.hidden)
        for expansion, base, repeats, first_stride in INVERTED_RESIDUALS:
            for repeat in range(repeats):
                out = round_channels(base * config.width)
                inner = next(hidden, channels * expansion)
                stride = first_stride if repeat == 0 else 1
                features.append(InvertedResidual(channels, out, inner, stride, norm=norm))
                channels = out
                widths.append(out)
        last = max(1280, round_channels(1280 * config.width))
        features.append(Conv(channels, last, act="relu6", norm=norm))
        widths.append(last)
        end = MOBILENET_TRUNCATED if config.truncated else len(features)
        self.features = nn.ModuleList(features[:end])
        self.taps = (*MOBILENET_TAPS, end - 1)
        self.channels = tuple(widths[tap] for tap in self.taps)

    def forward(self, x: Tensor, count: int = TAPS) -> list[Tensor]:
        maps: list[Tensor] = []
        for index, feature in enumerate(self.features):
            if len(maps) == count:
                break
            x = feature(x)
            if index in self.taps:
                maps.append(x)
        return maps


def shuffle(x: Tensor) -> Tensor:
    """Interleave the two halves of the channels."""
    _, channels, height, width = x.shape
    x = x.reshape(-1, 2, channels // 2, height, width).transpose(1, 2)
    return x.reshape(-1, channels, height, width)


class ShuffleBranch(nn.Module):
    """The branch with the work: 1x1, depthwise 3x3, 1x1."""

    def __init__(self, channels_in: int, channels: int, stride: int, *, act: Activation, norm: bool) -> None:
        super().__init__()
        self.pointwise1 = Conv(channels_in, channels, act=act, norm=norm)
        self.depthwise = Conv(channels, channels, 3, stride=stride, groups=channels, norm=norm)
        self.pointwise2 = Conv(channels, channels, act=act, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise2(self.depthwise(self.pointwise1(x)))


class ShuffleUnit(nn.Module):
    """Stride 2: two branches of the whole input. Stride 1: the second half of the channels goes through the branch."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, *, act: Activation, norm: bool) -> None:
        super().__init__()
        half = channels_out // 2
        self.branch1: nn.Module | None = None
        if stride == 2:
            self.branch1 = nn.Module()
            self.branch1.depthwise = Conv(channels_in, channels_in, 3, stride=2, groups=channels_in, norm=norm)
            self.branch1.pointwise = Conv(channels_in, half, act=act, norm=norm)
        self.branch2 = ShuffleBranch(channels_in if stride == 2 else half, half, stride, act=act, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        if self.branch1 is not None:
            kept = self.branch1.pointwise(self.branch1.depthwise(x))
        else:
            kept, x = x.chunk(2, dim=1)
        return shuffle(torch.cat([kept, self.branch2(x)], dim=1))


class ShuffleNetV2(nn.Module):
    """`conv1`, a max-pool (stride 4: the first tap), `stage2..4`, and unless truncated `conv5`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.width not in SHUFFLENET_CHANNELS:
            widths = ", ".join(map(str, SHUFFLENET_CHANNELS))
            raise DataError(f"width of ShuffleNetV2 must be one of {widths}, not {config.width}")
        act, norm = config.activation, "backbone" in config.norm
        base, last = SHUFFLENET_CHANNELS[config.width]
        self.conv1 = Conv(3, 24, 3, stride=2, act=act, norm=norm)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        stages = []
        channels, out = 24, base
        for units in SHUFFLENET_UNITS:
            stages.append(
                nn.Sequential(
                    *(
                        ShuffleUnit(channels if i == 0 else out, out, 2 if i == 0 else 1, act=act, norm=norm)
                        for i in range(units)
                    )
                )
            )
            channels, out = out, out * 2
        self.stage2, self.stage3, self.stage4 = stages
        self.conv5 = None if config.truncated else Conv(channels, last, act=act, norm=norm)
        self.channels = (24, base, base * 2, base * 4 if config.truncated else last)

    def forward(self, x: Tensor, count: int = TAPS) -> list[Tensor]:
        maps = [self.pool(self.conv1(x))]
        for stage in (self.stage2, self.stage3, self.stage4)[: count - 1]:
            maps.append(stage(maps[-1]))
        if self.conv5 is not None and count == TAPS:
            maps[-1] = self.conv5(maps[-1])
        return maps
