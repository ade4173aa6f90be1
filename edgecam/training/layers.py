"""Convolutions as they are exported: with a bias, an activation of the ReLU family, and batch-norm folded or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgecam.training.precision import Depthwise
from edgecam.training.rounding import rounded_weight

if TYPE_CHECKING:
    from edgecam.training.config import Activation
    from edgecam.training.rounding import Rounding

LEAK = 0.1
EPSILON = 1e-5


class Conv(nn.Conv2d):
    """Convolution, optional batch-norm, activation. `same` pads as TensorFlow does: nothing on the left and top."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        act: Activation | None = None,
        norm: bool = False,
        bias: bool = True,
        same: bool = False,
    ) -> None:
        padding = 0 if same else kernel // 2
        super().__init__(channels_in, channels_out, kernel, stride, padding, groups=groups, bias=bias and not norm)
        self.act = act
        self.leak = LEAK if act == "leaky_relu" else 0.0
        self.same = same
        self.rounding: Rounding | None = None  # int8's, while the network learns with it
        self.norm: nn.BatchNorm2d | None = nn.BatchNorm2d(channels_out, eps=EPSILON) if norm else None
        nn.init.kaiming_normal_(self.weight, mode="fan_out" if groups == 1 else "fan_in", nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.same:  # even sizes, kernel 3, stride 2: 0 on the left and top, 1 on the right and bottom
            x = F.pad(x, (0, 1, 0, 1))
        if self.rounding is not None:
            return self._rounded(x, self.rounding)
        if self.groups > 1 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            x = Depthwise.apply(x, self.weight, self.bias, self.stride, self.padding)
        else:
            x = super().forward(x)
        if self.norm is not None:
            x = self.norm(x)
        return activate(x, self.act, self.leak)

    def _rounded(self, x: Tensor, rounding: Rounding) -> Tensor:
        x = self._conv_forward(x, rounded_weight(self.weight), self.bias)
        if rounding.before is not None:
            x = rounding.before.round(x)
        x = activate(x, self.act, self.leak)
        return x if rounding.after is None else rounding.after.round(x)

    @torch.no_grad()
    def fold(self) -> None:
        """Merge the batch-norm, with its running statistics, into weight and bias."""
        if self.norm is None:
            return
        assert self.norm.running_var is not None
        assert self.norm.running_mean is not None
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        self.weight.mul_(scale.view(-1, 1, 1, 1))
        self.bias = nn.Parameter(self.norm.bias - self.norm.running_mean * scale)
        self.norm = None


def activate(x: Tensor, act: Activation | None, leak: float = LEAK) -> Tensor:
    """In place: `x` is a convolution's fresh output, which its gradient does not need."""
    if act == "relu6":
        return F.relu6(x, inplace=True)
    if act is None:
        return x
    return F.leaky_relu(x, leak, inplace=True) if leak else F.relu(x, inplace=True)


def set_leak(network: nn.Module, leak: float) -> None:
    """Make every LeakyReLU a ReLU that still lets `leak` of what is negative through: 0 at the end of a run.

    ReLU is free in an int8 convolution, LeakyReLU is a node of its own: a tenth of nano's instructions.
    """
    for module in network.modules():
        if isinstance(module, Conv) and module.act in ("relu", "leaky_relu"):
            module.act, module.leak = "relu", leak


class Separable(nn.Module):
    """Depthwise k x k, then pointwise."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        act: Activation | None,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.depthwise = Conv(channels_in, channels_in, kernel, stride=stride, groups=channels_in, act=act, norm=norm)
        self.pointwise = Conv(channels_in, channels_out, act=act, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


def enlarge(x: Tensor, mode: str, factor: int = 2) -> Tensor:
    """(B, C, H, W) to (B, C, H * factor, W * factor)."""
    if mode == "nearest":
        return F.interpolate(x, scale_factor=float(factor), mode="nearest")
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def reduce(x: Tensor, mode: str, factor: int = 2) -> Tensor:
    """(B, C, H, W) to (B, C, H / factor, W / factor)."""
    return F.max_pool2d(x, factor if mode == "max" else 1, stride=factor)
