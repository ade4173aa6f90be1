"""What a network is made of: a frozen description that is stored in every checkpoint and exported file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Literal

from edgecam.errors import DataError

Backbone = Literal["mobilenetv2", "shufflenetv2"]
Neck = Literal["none", "fpn", "pan", "ghost_fpn", "ghost_pan"]
Interpolation = Literal["nearest", "bilinear"]
Pool = Literal["max", "subsample"]
Activation = Literal["relu", "relu6", "leaky_relu"]
Part = Literal["backbone", "rfcr", "laterals", "neck", "head"]

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "backbone": ("mobilenetv2", "shufflenetv2"),
    "neck": ("none", "fpn", "pan", "ghost_fpn", "ghost_pan"),
    "upsample": ("nearest", "bilinear"),
    "neck_upsample": ("nearest", "bilinear"),
    "pool": ("max", "subsample"),
    "activation": ("relu", "relu6", "leaky_relu"),
}


@dataclass(frozen=True)
class ModelConfig:
    """One member or variant of the family.

    Attributes:
        width: multiplier of the backbone's channels (MobileNetV2: any; ShuffleNetV2: 0.5, 1.0, 1.5, 2.0).
        hidden: inner channels of each inverted residual of MobileNetV2 in order; empty for six times its input.
        truncated: without the backbone's last, heaviest layers (MobileNetV2: `features[17:]`).
        rfcr: with the raw feature collection and redistribution module between backbone and neck.
        shortcut: RFCR also collects stride 4 (the paper's fourth tap).
        collect, redistribute: channels of RFCR's collection and of its output.
        resample_first: RFCR resamples its taps before their 1x1 (as the paper's figure) and not after (as its code).
        upsample: RFCR's enlargement; `neck_upsample` that of the neck.
        pool: RFCR's reduction: `max` over the window, or `subsample` (every second pixel, as the first port had it).
        deepen: how many inverted residuals, of `deepen_hidden` inner channels, stand behind the laterals of strides 8,
            16 and 32: where a backbone was cut off, what it lacks is depth.
        neck: `none`, additive `fpn` and `pan`, or NanoDet-Plus's ghost blocks without or with its bottom-up path.
        strides: (8, 16, 32) or (8, 16, 32, 64).
        neck_kernel, head_kernel: of the depthwise convolutions. At stride 8, where three quarters of the cells are,
            `fine_neck_kernel` of the neck's node and `fine_head_kernel` of the head's last block (0: the same).
        head_channels: inner width of the head; `head_depth` its depthwise-separable blocks per stride.
        bins: of each side's distance distribution.
        mean, std: of the input, per channel, BGR, in 0-255; std is folded into the first convolution.
        norm: the parts that still have batch-norm of their own (all others have it folded into their convolutions).
    """

    name: str = "mobile"
    labels: tuple[str, ...] = ()
    backbone: Backbone = "mobilenetv2"
    width: float = 1.0
    hidden: tuple[int, ...] = ()
    truncated: bool = True
    rfcr: bool = True
    shortcut: bool = True
    collect: int = 48
    redistribute: int = 96
    resample_first: bool = False
    upsample: Interpolation = "nearest"
    pool: Pool = "max"
    deepen: tuple[int, ...] = (0, 0, 0)
    deepen_hidden: int = 192
    neck: Neck = "ghost_pan"
    neck_channels: int = 96
    neck_kernel: int = 5
    fine_neck_kernel: int = 0
    neck_upsample: Interpolation = "bilinear"
    strides: tuple[int, ...] = (8, 16, 32, 64)
    head_channels: int = 96
    head_depth: int = 2
    head_kernel: int = 5
    fine_head_kernel: int = 0
    bins: int = 8
    activation: Activation = "leaky_relu"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    norm: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise DataError(f"{field} must be one of {', '.join(allowed)}, not {getattr(self, field)!r}")
        if len(self.deepen) != 3 or min(self.deepen) < 0:
            raise DataError(f"deepen must be a count for each of strides 8, 16 and 32, not {self.deepen}")
        if self.strides not in ((8, 16, 32), (8, 16, 32, 64)):
            raise DataError(f"strides must be 8,16,32 or 8,16,32,64, not {self.strides}")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ModelConfig:
        """Raises DataError on a field that this version does not know."""
        unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise DataError(f"unknown settings of a network: {', '.join(sorted(unknown))}")
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**settings)
