"""Labels to cells by NanoDet-Plus's dynamic soft assignment, for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from edgecam.training.targets import Targets

TOP_K = 13  # cells whose overlaps are summed to the number of cells an object gets
IOU_COST = 3.0
CENTRE_BASE, CENTRE_RADIUS = 10.0, 3.0  # cost of a cell's distance (in strides) from the object's centre


@dataclass(frozen=True)
class Assignment:
    """For B images of N cells, each (B, N).

    Attributes:
        positive: the cell has an object.
        objects: which one of its image (0 without one).
        ious: of the cell's box with it (0 without one).
    """

    positive: Tensor
    objects: Tensor
    ious: Tensor


def boxes_hold(boxes: Tensor, points: Tensor) -> Tensor:
    """Whether points (N, 2) lie inside boxes (B, G, 4): bool (B, N, G)."""
    x, y = points[None, :, None, 0], points[None, :, None, 1]
    x1, y1, x2, y2 = boxes[:, None].unbind(dim=3)
    return (x > x1) & (y > y1) & (x < x2) & (y < y2)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """(..., N, 4), (..., M, 4) to (..., N, M)."""
    a, b = a.unsqueeze(-2), b.unsqueeze(-3)
    inter = _area(torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:]))
    area_a, area_b = (_area(box[..., :2], box[..., 2:]) for box in (a, b))
    return inter / (area_a + area_b - inter).clamp(min=1e-6)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised IoU of paired boxes (..., 4), (..., 4) to (...)."""
    inter = _area(torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:]))
    area_a, area_b = (_area(x[..., :2], x[..., 2:]) for x in (a, b))
    union = (area_a + area_b - inter).clamp(min=1e-6)
    hull = _area(torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])).clamp(min=1e-6)
    return inter / union - (hull - union) / hull


def _area(lt: Tensor, rb: Tensor) -> Tensor:
    """(..., 2), (..., 2) to (...), 0 where a side is negative."""
    sides = (rb - lt).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, points: Tensor, sizes: Tensor, targets: Targets) -> Assignment:
    """Give each object the cells that are cheapest for it; a cell that two objects want goes to the cheaper.

    Args:
        scores: (B, N, C), 0 to 1.
        boxes: (B, N, 4) xyxy in pixels, what each cell says.
        points, sizes: (N, 2) and (N,), the cells' places and strides in pixels.
    """
    truth, count = targets.boxes, scores.shape[1]
    inside = boxes_hold(truth, points) & (targets.weights > 0)[:, None]  # (B, N, G)
    ious = pairwise_iou(boxes, truth)
    wanted = targets.class_ids[:, None].expand(-1, count, -1)
    predicted = scores.gather(2, wanted).clamp(1e-6, 1 - 1e-6)
    cost = -(ious * predicted.log() + (1 - ious) * torch.log1p(-predicted)) * (ious - predicted).square()
    cost = cost + IOU_COST * -torch.log(ious + 1e-7)
    centres = (truth[..., :2] + truth[..., 2:]) / 2
    distance = torch.cdist(points.expand(len(truth), -1, -1), centres) / sizes[None, :, None]
    cost = cost + torch.pow(CENTRE_BASE, (distance - CENTRE_RADIUS).clamp(max=5))
    cost = cost.masked_fill(~inside, torch.inf)
    cost = cost.masked_fill(~_cheapest(cost, ious * inside.any(dim=2, keepdim=True)), torch.inf)
    cheapest = cost.min(dim=2)
    positive = cheapest.values.isfinite()
    found = ious.gather(2, cheapest.indices.unsqueeze(2)).squeeze(2)
    return Assignment(positive, cheapest.indices * positive, found * positive)


def _cheapest(cost: Tensor, ious: Tensor) -> Tensor:
    """bool (B, N, G): for each object its k cheapest cells, k = the sum of its best overlaps, at least 1."""
    k = min(TOP_K, cost.shape[1])
    counts = ious.topk(k, dim=1).values.sum(dim=1).int().clamp(min=1)
    places = cost.topk(k, dim=1, largest=False, sorted=True).indices  # (B, k, G)
    taken = torch.arange(k, device=cost.device)[None, :, None] < counts[:, None]
    return torch.zeros_like(cost, dtype=torch.bool).scatter_(1, places, taken)
