"""Labels to cells by NanoDet-Plus's dynamic soft assignment, and the losses of a generalised-focal-loss head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgecam.detector.gfl import cell_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig
    from edgecam.training.views import Target

TOP_K = 13  # cells whose overlaps are summed to the number of cells an object gets
IOU_COST = 3.0
CENTRE_BASE, CENTRE_RADIUS = 10.0, 3.0  # cost of a cell's distance (in strides) from the object's centre
GIOU_WEIGHT, DFL_WEIGHT = 2.0, 0.25


@dataclass(frozen=True)
class Assignment:
    """For one image of N cells: `cells` (P,) which ones have an object, `objects` (P,) which, `ious` (P,)."""

    cells: Tensor
    objects: Tensor
    ious: Tensor


@lru_cache(maxsize=8)
def _points(size: tuple[int, int], strides: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    points, sizes = cell_points(size, strides, 0.0)
    return torch.from_numpy(points), torch.from_numpy(sizes)


def decode(distances: Tensor, points: Tensor, sizes: Tensor) -> Tensor:
    """Distance logits (..., N, 4, bins) to boxes (..., N, 4) xyxy in pixels of the input."""
    steps = torch.arange(distances.shape[-1], dtype=distances.dtype, device=distances.device)
    sides = (distances.softmax(dim=-1) * steps).sum(dim=-1) * sizes[:, None]
    return torch.cat([points - sides[..., :2], points + sides[..., 2:]], dim=-1)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, 4), (M, 4) to (N, M)."""
    lt, rb = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (rb - lt).clamp(min=0).prod(dim=2)
    area_a, area_b = (x[:, 2:].sub(x[:, :2]).clamp(min=0).prod(dim=1) for x in (a, b))
    return inter / (area_a[:, None] + area_b[None, :] - inter).clamp(min=1e-6)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of paired boxes (N, 4), (N, 4) to (N,)."""
    lt, rb = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (rb - lt).clamp(min=0).prod(dim=1)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clamp(min=0).prod(dim=1) for x in (a, b))
    union = (area_a + area_b - inter).clamp(min=1e-6)
    hull = (
        (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1).clamp(min=1e-6)
    )
    return inter / union - (hull - union) / hull


@torch.no_grad()
def assign(
    scores: Tensor, boxes: Tensor, points: Tensor, sizes: Tensor, truth: Tensor, class_ids: Tensor
) -> Assignment:
    """Give each object the cells that are cheapest for it: scores (N, C) 0-1, boxes (N, 4), truth (G, 4) xyxy."""
    empty = torch.zeros(0, dtype=torch.long, device=scores.device)
    if not len(truth):
        return Assignment(empty, empty, scores.new_zeros(0))
    x, y = points[:, None, 0], points[:, None, 1]
    inside = (x > truth[:, 0]) & (y > truth[:, 1]) & (x < truth[:, 2]) & (y < truth[:, 3])  # (N, G)
    candidates = inside.any(dim=1).nonzero()[:, 0]
    if not len(candidates):
        return Assignment(empty, empty, scores.new_zeros(0))
    inside = inside[candidates]
    ious = pairwise_iou(boxes[candidates], truth)  # (V, G)
    predicted = scores[candidates][:, class_ids].clamp(1e-6, 1 - 1e-6)
    cost = F.binary_cross_entropy(predicted, ious, reduction="none") * (ious - predicted).square()
    cost = cost + IOU_COST * -torch.log(ious + 1e-7)
    centres = (truth[:, :2] + truth[:, 2:]) / 2
    distance = torch.cdist(points[candidates], centres) / sizes[candidates, None]
    cost = cost + torch.pow(CENTRE_BASE, (distance - CENTRE_RADIUS).clamp(max=5))
    cost = cost + (~inside) * 1e6
    matched = _cheapest(cost, ious, inside)
    rows = matched.any(dim=1).nonzero()[:, 0]
    objects = torch.where(matched[rows], cost[rows], torch.inf).argmin(dim=1)
    return Assignment(candidates[rows], objects, ious[rows, objects])


def _cheapest(cost: Tensor, ious: Tensor, inside: Tensor) -> Tensor:
    """bool (V, G): for each object its k cheapest cells, k = the sum of its best overlaps, at least 1."""
    best = ious.topk(min(TOP_K, len(ious)), dim=0).values
    counts = best.sum(dim=0).int().clamp(min=1)
    order = cost.argsort(dim=0).argsort(dim=0)  # rank of each cell for each object
    return (order < counts) & inside


def labels_terms(
    output: Tensor, targets: Sequence[Target], size: tuple[int, int], config: ModelConfig
) -> dict[str, Tensor]:
    """Quality focal loss of classes, GIoU and distribution focal loss of boxes.

    Args:
        output: (B, C + 4 * bins, N), logits.
        size: (height, width) of the input.
    """
    classes, bins = len(config.labels), config.bins
    points, sizes = (x.to(output.device) for x in _points(size, config.strides))
    logits = output[:, :classes].transpose(1, 2)  # (B, N, C)
    distances = output[:, classes:].transpose(1, 2).unflatten(2, (4, bins))  # (B, N, 4, bins)
    boxes = decode(distances.detach(), points, sizes)
    scores = logits.detach().sigmoid()
    goal, weight = torch.zeros_like(logits), torch.ones_like(logits)
    chosen: list[tuple[Tensor, ...]] = []
    for row, target in enumerate(targets):
        truth, class_ids, strength, ignored = (
            torch.from_numpy(np.ascontiguousarray(v)).to(output.device)
            for v in (target.boxes, target.class_ids, target.weights, target.ignored)
        )
        weight[row] = _negative_weights(target, ignored, points, classes)
        found = assign(scores[row], boxes[row], points, sizes, truth, class_ids)
        ids = class_ids[found.objects]
        goal[row, found.cells, ids] = found.ious.clamp(min=0)
        weight[row, found.cells, ids] = strength[found.objects]
        chosen.append(
            (torch.full_like(found.cells, row), found.cells, truth[found.objects], found.ious * strength[found.objects])
        )
    rows, cells, truth, quality = (torch.cat(column) for column in zip(*chosen, strict=True))
    count = quality.new_tensor(float(len(cells))).clamp(min=1)
    difference = (scores - goal).abs()
    focal = F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * difference.square() * weight
    terms = {"qfl": focal.sum() / count}
    if len(cells):
        predicted = distances[rows, cells]  # (P, 4, bins)
        strength = quality.clamp(min=0.05)
        ours = decode(predicted, points[cells], sizes[cells])
        terms["giou"] = GIOU_WEIGHT * ((1 - giou(ours, truth)) * strength).sum() / strength.sum()
        dfl = _distribution_loss(predicted, points[cells], sizes[cells], truth)
        terms["dfl"] = DFL_WEIGHT * (dfl * strength).sum() / strength.sum()
    else:
        terms["giou"] = terms["dfl"] = distances.sum() * 0
    return terms


def _negative_weights(target: Target, ignored: Tensor, points: Tensor, classes: int) -> Tensor:
    """(N, C): 0 where a class was not looked for in the photograph, and in ignored boxes."""
    weight = torch.zeros(classes, device=points.device)
    weight[list(target.labelled)] = 1
    x, y = points[:, None, 0], points[:, None, 1]
    inside = (x > ignored[:, 0]) & (y > ignored[:, 1]) & (x < ignored[:, 2]) & (y < ignored[:, 3])
    return weight[None, :] * (~inside.any(dim=1))[:, None]


def _distribution_loss(predicted: Tensor, points: Tensor, sizes: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of each side's distribution (P, 4, bins) to the two bins around the true distance: (P,)."""
    bins = predicted.shape[-1]
    goal = torch.cat([points - truth[:, :2], truth[:, 2:] - points], dim=1) / sizes[:, None]
    goal = goal.clamp(0, bins - 1 - 0.01)
    left = goal.floor().long()
    share = goal - left
    log = predicted.log_softmax(dim=-1)
    low, high = (log.gather(2, (left + i).unsqueeze(2)).squeeze(2) for i in (0, 1))
    return -(low * (1 - share) + high * share).mean(dim=1)
