"""Muon: 1x1 convolutions learn alike in all directions of their inputs, not only where these differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from edgecam.training.optimizer import LEAST_SMALL, TYPICAL, ScaledAdamW

if TYPE_CHECKING:
    from collections.abc import Sequence

MOMENTUM = 0.95
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # the quintic that brings singular values from 0.01 to 1 near 1 in five
TINY = 1e-12


class ScaledMuon(ScaledAdamW):
    """Muon for the weights of 1x1 convolutions, `ScaledAdamW` for all others.

    The inputs of a 1x1 behind a linear bottleneck are much alike, and AdamW hardly moves along the directions in which
    they differ. Here the momentum of such a matrix is made orthogonal, so that a step is as long in every direction:
    the learning rate, in proportion to the matrix's size.

    Source: Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    def _update(self, group: dict[str, Any], pairs: list[tuple[str, Tensor]]) -> None:
        matrices = [parameter for _, parameter in pairs if is_matrix(parameter)]
        others = [(name, parameter) for name, parameter in pairs if not is_matrix(parameter)]
        if others:
            super()._update(group, others)
        for alike in by_shape(matrices):
            states = [self._matrix_state(parameter) for parameter in alike]
            gradients: list[Any] = [parameter.grad for parameter in alike]
            momenta = [state["momentum"] for state in states]
            torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
            ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
            steps = list(orthogonalise(torch.stack([a.flatten(1) for a in ahead])).unbind())
            torch._foreach_mul_(steps, [state["unit"] for state in states])
            torch._foreach_mul_(alike, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(alike, [s.view_as(p) for s, p in zip(steps, alike, strict=True)], alpha=-group["lr"])

    def _matrix_state(self, parameter: Tensor) -> dict[str, Any]:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
            size = parameter.detach().square().mean().sqrt()
            state["unit"] = (size / TYPICAL).clamp(min=LEAST_SMALL)
        return state


def is_matrix(parameter: Tensor) -> bool:
    """Whether these are the weights of a 1x1 convolution of more than one channel in and out."""
    return parameter.ndim == 4 and parameter.shape[2:] == (1, 1) and min(parameter.shape[:2]) > 1


def by_shape(parameters: Sequence[Tensor]) -> list[list[Tensor]]:
    """In groups of one shape, whose matrices are multiplied in one go."""
    groups: dict[torch.Size, list[Tensor]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.shape, []).append(parameter)
    return list(groups.values())


def orthogonalise(matrices: Tensor) -> Tensor:
    """Each matrix with all its singular values near one another, by Newton and Schulz's iteration in bfloat16.

    Args:
        matrices: float32 (N, rows, columns).

    Returns:
        float32 of the same shape; the root of its mean square is near 1.
    """
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + TINY)).bfloat16()
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    x = x if wide else x.mT
    return x.float() * max(matrices.shape[1:]) ** 0.5
