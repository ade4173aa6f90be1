"""What a network is trained for beside labels: a teacher's maps and a teacher's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig
    from edgecam.training.teaching import Lesson

Terms = dict[str, Tensor]


def maps_loss(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Mean squared error of maps (B, C, H, W), each channel in units of the teacher's standard deviation."""
    total = student[0].new_zeros(())
    for ours, theirs in zip(student, teacher, strict=True):
        deviation = theirs.std(dim=(0, 2, 3), keepdim=True)
        deviation = torch.maximum(deviation, 0.1 * deviation.mean() + 1e-9)
        total = total + ((ours - theirs) / deviation).square().mean()
    return total / len(student)


def classes_loss(logits: Tensor, goal: Tensor) -> Tensor:
    """BCE to the teacher's scores weighted by the difference to them; both (B, C, N); per unit of teacher's score."""
    difference = (logits.detach().sigmoid() - goal).abs()
    loss = F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * difference
    return loss.sum() / goal.amax(dim=1).sum().clamp(min=1)


def distances_loss(logits: Tensor, goal: Tensor, weights: Tensor) -> Tensor:
    """KL divergence of the four sides' distributions to the teacher's (B, 4, bins, N), weighted (B, N)."""
    ours = logits.view_as(goal).log_softmax(dim=2)
    divergence = (torch.xlogy(goal, goal) - goal * ours).sum(dim=2).sum(dim=1)
    return (divergence * weights).sum() / weights.sum().clamp(min=1)


@dataclass(frozen=True)
class Distillation:
    """Weights of what the student learns from its teacher on every cell."""

    maps: float = 0.3
    classes: float = 1.0
    distances: float = 1.0


def distillation(
    laterals: Sequence[Tensor], output: Tensor | None, lesson: Lesson, config: ModelConfig, w: Distillation
) -> Terms:
    """The loss terms against a teacher's lesson; its maps count where they are of the student's size.

    `output` is the student's joined cells (B, C + 4 * bins, N), float32, or None where only maps are learnt.
    """
    terms: Terms = {}
    if w.maps and laterals[0].shape == lesson.laterals[0].shape:
        terms["maps"] = w.maps * maps_loss([x.float() for x in laterals], [x.float() for x in lesson.laterals])
    if output is not None and lesson.scores is not None and lesson.sides is not None:
        classes = len(config.labels)
        terms["classes"] = w.classes * classes_loss(output[:, :classes], lesson.scores)
        weights = lesson.scores.amax(dim=1)
        terms["distances"] = w.distances * distances_loss(output[:, classes:], lesson.sides, weights)
    return terms
