"""AdamW whose steps are in proportion to the weights: what folded batch-norm has made large or small learns alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from edgecam.training.network import part_of

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPICAL = 0.1  # a weight whose step is the learning rate itself
LEAST, MOST = 0.5, 5.0  # of a unit, for what starts near zero (a new class), and for large biases
LEAST_SMALL = 0.02  # NanoDet-Plus's maps have a deviation of 0.03, so what gives them has weights of 0.001 to 0.005
STEMS = ("backbone.conv1.", "backbone.features.0.")
EPSILON = 1e-8


@torch.no_grad()
def unit_of(name: str, parameter: Tensor) -> Tensor:
    """The step of a parameter for a learning rate of 1: the size of its weights by TYPICAL, per output channel.

    With batch-norm folded into it a convolution's weights carry its gain, and the stem's the deviation of its input
    (pixels, 0 to 255) as well: 0.0002 where others have 0.5. One step for all destroys the former and hardly moves the
    latter. The laterals' weights are small too where a transplanted neck reads them: with what lets a new class grow,
    they would learn ten times as fast as all others and forget what they have taken over. So would RFCR's depthwise
    kernels, which batch-norm before a large sum has made as small.
    """
    size = parameter.square().mean().sqrt()
    if parameter.ndim < 2:
        return (size / TYPICAL).clamp(LEAST, MOST)
    own = parameter.square().mean(dim=tuple(range(1, parameter.ndim)), keepdim=True).sqrt()
    unit = torch.maximum(own, 0.5 * size) / TYPICAL
    if name.startswith(STEMS):
        return unit
    return unit.clamp(min=LEAST_SMALL if part_of(name) in {"laterals", "rfcr"} else LEAST)


class ScaledAdamW(torch.optim.Optimizer):
    """AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) with `unit_of` each parameter.

    Args:
        params: groups with `names` beside `params`.
        lr: learning rate.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "names": []})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            pairs = [(n, p) for n, p in zip(group["names"], group["params"], strict=True) if p.grad is not None]
            if pairs:
                self._update(group, pairs)

    def _update(self, group: dict[str, Any], pairs: list[tuple[str, Tensor]]) -> None:
        parameters, states = [p for _, p in pairs], [self._state_of(n, p) for n, p in pairs]
        gradients: list[Any] = [p.grad for p in parameters]
        means, squares, units = ([state[key] for state in states] for key in ("exp_avg", "exp_avg_sq", "unit"))
        for state in states:
            state["step"] += 1
        count, (beta1, beta2) = int(states[0]["step"]), group["betas"]
        torch._foreach_lerp_(means, gradients, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - beta2)
        deviations = torch._foreach_sqrt(squares)
        torch._foreach_div_(deviations, math.sqrt(1 - beta2**count))
        torch._foreach_add_(deviations, EPSILON)
        steps = torch._foreach_div(means, deviations)
        torch._foreach_mul_(steps, units)
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, steps, alpha=-group["lr"] / (1 - beta1**count))

    def _state_of(self, name: str, parameter: Tensor) -> dict[str, Any]:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["unit"] = unit_of(name, parameter)
        return state
