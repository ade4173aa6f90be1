"""In which precision networks are trained: bfloat16 where the device multiplies it in hardware, else float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def has_bfloat16(device: str) -> bool:
    """Whether bfloat16 is the faster one on a kind of device: GPUs, and processors with AMX.

    Measured (one thread, MobileNetV2 and ShuffleNetV2 with neck and head): 1.4 to 1.6 times as many pictures as in
    float32 with AMX, 0.9 to 1.1 with AVX512's own bfloat16, 0.55 to 0.7 where it is emulated.
    """
    if device == "cuda":
        return True
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions cannot say
    return device == "cpu" and bool(capabilities.get("amx_bf16"))


def lowered(device: str, *, exact: bool = False) -> torch.autocast:
    """A context in which networks run in bfloat16 where that is faster, unless they are to be exact.

    Weights stay float32.
    """
    return torch.autocast(device, torch.bfloat16, enabled=has_bfloat16(device) and not exact)


class Depthwise(torch.autograd.Function):
    """Depthwise convolution in bfloat16 on a CPU, its gradients in float32.

    torch's own gradients of it in bfloat16 take 4 times as long for 5x5 weights (96 channels of 40x40: 65 ms for 14)
    and up to 37 times for a strided one's input.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...], padding: tuple[int, ...]
    ) -> Tensor:
        ctx.stride, ctx.padding, ctx.given = stride, padding, x.dtype
        x = x.to(torch.bfloat16)
        ctx.save_for_backward(x, weight)
        bias = None if bias is None else bias.to(x.dtype)
        with torch.autocast("cpu", enabled=False):
            return torch.conv2d(x, weight.to(x.dtype), bias, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.float().contiguous(memory_format=torch.channels_last)
        wanted = ctx.needs_input_grad
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient, x.float(), weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), len(weight),
            (wanted[0], wanted[1], False),
        )  # fmt: skip
        of_x = None if of_x is None else of_x.to(ctx.given)
        return of_x, of_weight, gradient.sum(dim=(0, 2, 3)) if wanted[2] else None, None, None
