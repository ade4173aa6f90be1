"""What a network is trained for: a teacher's maps, a teacher's outputs, and labels by assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from edgecam.training.network import Network, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

Terms = dict[str, Tensor]


def maps_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Mean squared error of maps (B, C, H, W), each channel in units of the teacher's standard deviation."""
    total = student[0].new_zeros(())
    for ours, theirs in zip(student, teacher, strict=True):
        deviation = theirs.std(dim=(0, 2, 3), keepdim=True)
        deviation = deviation.clamp(min=0.1 * float(deviation.mean()) + 1e-9)
        total = total + ((ours - theirs) / deviation).square().mean()
    return total / len(student)


def classes_loss(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """BCE to the teacher's scores weighted by the difference to them; logits (B, C, N); per unit of teacher's score."""
    goal = teacher_logits.sigmoid()
    difference = (logits.detach().sigmoid() - goal).abs()
    loss = F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * difference
    return loss.sum() / goal.amax(dim=1).sum().clamp(min=1)


def distances_loss(logits: Tensor, teacher_logits: Tensor, weights: Tensor, bins: int) -> Tensor:
    """KL divergence of the four sides' distributions (B, 4 * bins, N), weighted (B, N)."""
    batch, _, count = logits.shape
    ours = logits.view(batch, 4, bins, count).log_softmax(dim=2)
    theirs = teacher_logits.view(batch, 4, bins, count).log_softmax(dim=2)
    divergence = (theirs.exp() * (theirs - ours)).sum(dim=2).sum(dim=1)
    return (divergence * weights).sum() / weights.sum().clamp(min=1)


@dataclass(frozen=True)
class Distillation:
    """Weights of what the student learns from its teacher on every cell."""

    maps: float = 0.3
    classes: float = 1.0
    distances: float = 1.0


def distillation(
    network: Network,
    laterals: Sequence[Tensor],
    output: Tensor | None,
    teacher: Network,
    images: Tensor,
    w: Distillation,
) -> Terms:
    """The loss terms against a teacher whose laterals and strides are the student's or begin with them.

    `output` is the student's joined cells (B, C + 4 * bins, N), or None where only maps are learnt.
    """
    with torch.no_grad():
        their_laterals = teacher.laterals(images)
        their_maps = None if output is None else teacher.outputs(their_laterals)
    terms: Terms = {}
    if w.maps and laterals[0].shape == their_laterals[0].shape:
        terms["maps"] = w.maps * maps_loss(laterals, their_laterals)
    if output is not None and their_maps is not None:
        theirs = cells(their_maps[: len(network.config.strides)])
        classes = len(network.config.labels)
        scores = theirs[:, :classes].amax(dim=1).sigmoid()
        terms["classes"] = w.classes * classes_loss(output[:, :classes], theirs[:, :classes])
        terms["distances"] = w.distances * distances_loss(
            output[:, classes:], theirs[:, classes:], scores, network.config.bins
        )
    return terms
