"""The losses of a generalised-focal-loss head against labels that were assigned to its cells."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from edgecam.detector.gfl import cell_points
from edgecam.training.assignment import assign, boxes_hold, giou
from edgecam.training.targets import EVERY_CLASS

if TYPE_CHECKING:
    from edgecam.training.config import ModelConfig
    from edgecam.training.targets import Targets

GIOU_WEIGHT, DFL_WEIGHT = 2.0, 0.25


@lru_cache(maxsize=8)
def _points(size: tuple[int, int], strides: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    points, sizes = cell_points(size, strides, 0.0)
    return torch.from_numpy(points).to(device), torch.from_numpy(sizes).to(device)


def decode(distances: Tensor, points: Tensor, sizes: Tensor) -> Tensor:
    """Distance logits (..., N, 4, bins) to boxes (..., N, 4) xyxy in pixels of the input."""
    steps = torch.arange(distances.shape[-1], dtype=distances.dtype, device=distances.device)
    sides = (distances.softmax(dim=-1) * steps).sum(dim=-1) * sizes[:, None]
    return torch.cat([points - sides[..., :2], points + sides[..., 2:]], dim=-1)


def labels_terms(output: Tensor, targets: Targets, size: tuple[int, int], config: ModelConfig) -> dict[str, Tensor]:
    """Quality focal loss of classes, GIoU and distribution focal loss of boxes.

    Of every cell, weighted 0 where it has no object: shapes that do not depend on the values suit a CUDA graph.

    Args:
        output: float32 (B, C + 4 * bins, N), logits.
        size: (height, width) of the input.
    """
    classes, bins = len(config.labels), config.bins
    points, sizes = _points(size, config.strides, output.device)
    logits = output[:, :classes].transpose(1, 2)  # (B, N, C)
    distances = output[:, classes:].transpose(1, 2).unflatten(2, (4, bins))  # (B, N, 4, bins)
    scores = logits.detach().sigmoid()
    found = assign(scores, decode(distances.detach(), points, sizes), points, sizes, targets)
    strength = targets.weights.gather(1, found.objects)
    ids = targets.class_ids.gather(1, found.objects).unsqueeze(2)
    goal = torch.zeros_like(logits).scatter_(2, ids, found.ious.unsqueeze(2))
    weight = _negative_weights(targets, points)
    weight.scatter_(2, ids, torch.where(found.positive, strength, weight.gather(2, ids).squeeze(2)).unsqueeze(2))
    difference = (scores - goal).abs()
    focal = F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * difference.square() * weight
    terms = {"qfl": focal.sum() / found.positive.sum().clamp(min=1)}
    truth = targets.boxes.gather(1, found.objects.unsqueeze(2).expand(-1, -1, 4))
    quality = (found.ious * strength).clamp(min=0.05) * found.positive
    quality = quality / quality.sum().clamp(min=0.05)
    overlap = giou(decode(distances, points, sizes), truth)
    return terms | {
        "giou": GIOU_WEIGHT * ((1 - overlap) * quality).sum(),
        "dfl": DFL_WEIGHT * (_distribution_loss(distances, points, sizes, truth) * quality).sum(),
    }


def _negative_weights(targets: Targets, points: Tensor) -> Tensor:
    """(B, N, C): 0 where a class was not looked for in the photograph, and in ignored boxes of it or of every class."""
    classes = targets.looked_for.shape[1]
    ids = targets.ignored_ids.unsqueeze(2)
    of_class = (ids == torch.arange(classes, device=points.device)) | (ids == EVERY_CLASS)  # (B, M, C)
    hidden = boxes_hold(targets.ignored, points).float() @ of_class.float()
    return targets.looked_for[:, None] * (hidden == 0)


def _distribution_loss(predicted: Tensor, points: Tensor, sizes: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of each side's distribution (..., N, 4, bins) to the two bins around the true one: (..., N)."""
    bins = predicted.shape[-1]
    goal = torch.cat([points - truth[..., :2], truth[..., 2:] - points], dim=-1) / sizes[:, None]
    goal = goal.clamp(0, bins - 1 - 0.01)
    left = goal.floor().long()
    share = goal - left
    log = predicted.log_softmax(dim=-1)
    low, high = (log.gather(-1, (left + i).unsqueeze(-1)).squeeze(-1) for i in (0, 1))
    return -(low * (1 - share) + high * share).mean(dim=-1)
