"""What the views show: labels and a teacher's boxes of one view, and those of a batch as tensors of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.evaluation.datasets.examples import Example
    from edgecam.training.views import View

MIN_SIDE = 3.0  # px; a box with a shorter side in the view is not asked for
MIN_VISIBLE = 0.25  # of a box's area
DOUBTFUL_SCORE = 0.05  # of a teacher's box: below it there is nothing
EVERY_CLASS = -1
GRANULE = 8  # boxes per view are filled up to a multiple of it, so that few shapes occur;
DEVICE_GRANULE = 128  # on a device, where every shape is a recording of its own, fewer still


@dataclass(frozen=True)
class Trust:
    """How far a teacher's boxes are believed.

    Attributes:
        least: score from which a box is an object; below it its place is neither object nor background of its class.
        full: score from which it counts as much as a label; below it, score / full.
    """

    least: float = 0.25
    full: float = 0.6


@dataclass(frozen=True)
class Target:
    """What a view of a photograph shows, in pixels of the view (clipped); arrays as in Example.

    Attributes:
        ignored, ignored_ids: boxes inside which nothing is background, and of which class (EVERY_CLASS: of none).
        looked_for: the classes whose absence is known.
    """

    boxes: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    ignored: NDArray[np.float32]
    ignored_ids: NDArray[np.int64]
    looked_for: frozenset[int]


def target(
    example: Example, view: View, factor: tuple[float, float], size: tuple[int, int], classes: int, trust: Trust
) -> Target:
    """Ground truth and, of classes that it does not cover, the teacher's boxes, as the view shows them.

    A class is looked for where it is labelled, and in a photograph that a teacher has seen. `factor` is cached pixels
    per pixel of the file (x, y).
    """
    unlabelled = np.array([class_id not in example.labelled for class_id in example.teacher_ids], np.bool_)
    taught = unlabelled & (example.teacher_scores >= trust.least)
    doubtful = unlabelled & (example.teacher_scores >= DOUBTFUL_SCORE) & ~taught
    boxes = np.concatenate([example.boxes, example.teacher_boxes[taught], example.teacher_boxes[doubtful]])
    class_ids = np.concatenate([example.class_ids, example.teacher_ids[taught], example.teacher_ids[doubtful]])
    strength = np.minimum(1, example.teacher_scores[taught] / trust.full)
    weights = np.concatenate([np.ones(len(example.boxes)), strength, np.zeros(int(doubtful.sum()))]).astype(np.float32)
    weights[: len(example.boxes)][example.difficult] = 0
    moved = view.boxes(boxes * np.array([*factor, *factor], np.float32))
    clipped = np.clip(moved, 0, np.array([size[1], size[0], size[1], size[0]], np.float32))
    sides, area = clipped[:, 2:] - clipped[:, :2], np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    seen = (sides.min(axis=1, initial=np.inf) >= MIN_SIDE) if len(sides) else np.zeros(0, np.bool_)
    wanted = seen & (sides.prod(axis=1) >= MIN_VISIBLE * area) & (weights > 0)
    left = seen & ~wanted
    own = np.arange(len(boxes)) >= len(boxes) - int(doubtful.sum())
    ignored_ids = np.where(own, class_ids, EVERY_CLASS)[left]
    looked_for = frozenset(range(classes)) if example.taught else example.labelled
    return Target(clipped[wanted], class_ids[wanted], weights[wanted], clipped[left], ignored_ids, looked_for)


def joined(targets: Sequence[Target], origins: Sequence[tuple[int, int]]) -> Target:
    """What a view shows whose parts begin at `origins` (x, y) and show `targets`."""
    corners = [np.array([x, y, x, y], np.float32) for x, y in origins]
    return Target(
        boxes=np.concatenate([one.boxes + corner for one, corner in zip(targets, corners, strict=True)]),
        class_ids=np.concatenate([one.class_ids for one in targets]),
        weights=np.concatenate([one.weights for one in targets]),
        ignored=np.concatenate([one.ignored + corner for one, corner in zip(targets, corners, strict=True)]),
        ignored_ids=np.concatenate([one.ignored_ids for one in targets]),
        looked_for=frozenset.intersection(*(one.looked_for for one in targets)),
    )


@dataclass(frozen=True)
class Targets:
    """The targets of B views, filled up with empty boxes of weight 0.

    Attributes:
        boxes, class_ids, weights: float32 (B, G, 4) xyxy in pixels, int64 (B, G), float32 (B, G).
        ignored, ignored_ids: float32 (B, M, 4), int64 (B, M).
        looked_for: float32 (B, C), 0 or 1.
    """

    boxes: Tensor
    class_ids: Tensor
    weights: Tensor
    ignored: Tensor
    ignored_ids: Tensor
    looked_for: Tensor

    def tensors(self) -> list[Tensor]:
        return [getattr(self, name) for name in self.__dataclass_fields__]


def stack(targets: Sequence[Target], classes: int, granule: int = GRANULE) -> Targets:
    """One batch of the views' targets for a network of so many classes."""
    looked_for = np.zeros((len(targets), classes), np.float32)
    for row, one in enumerate(targets):
        looked_for[row, list(one.looked_for)] = 1
    return Targets(
        boxes=_filled([one.boxes for one in targets], granule),
        class_ids=_filled([one.class_ids for one in targets], granule),
        weights=_filled([one.weights for one in targets], granule),
        ignored=_filled([one.ignored for one in targets], granule),
        ignored_ids=_filled([one.ignored_ids for one in targets], granule),
        looked_for=torch.from_numpy(looked_for),
    )


def _filled(rows: Sequence[NDArray[Any]], granule: int) -> Tensor:
    """Arrays (n, ...) of differing n as one (B, N, ...), with zeros behind."""
    longest = max((len(row) for row in rows), default=0)
    whole = np.zeros((len(rows), max(granule, -(-longest // granule) * granule), *rows[0].shape[1:]), rows[0].dtype)
    for row, values in enumerate(rows):
        whole[row, : len(values)] = values
    return torch.from_numpy(whole)
