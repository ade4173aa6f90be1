"""What teachers say of every cell of their student: of the same view, or of a larger one of it resampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from edgecam.training.network import Network, cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.config import ModelConfig


@dataclass(frozen=True)
class Lesson:
    """Attributes:
    laterals: the first teacher's three maps, each (B, C, H, W).
    scores: (B, C, N), 0 to 1, or None where only maps are learnt.
    sides: (B, 4, bins, N), the distributions of the four distances, or None.
    """

    laterals: Sequence[Tensor]
    scores: Tensor | None = None
    sides: Tensor | None = None


@torch.no_grad()
def ask(
    teachers: Sequence[Network], images: Tensor, student: ModelConfig, size: tuple[int, int], *, outputs: bool
) -> Lesson:
    """The mean of the teachers' lessons for a student whose strides are theirs or the first of them.

    Args:
        images: uint8 (B, H, W, 3): the student's view, in an input as large as the teacher is to see it.
        size: (height, width) of the student's input.
    """
    lessons = [_lesson(teacher, images, student, size, outputs=outputs) for teacher in teachers]
    scores = [lesson.scores for lesson in lessons if lesson.scores is not None]
    sides = [lesson.sides for lesson in lessons if lesson.sides is not None]
    if len(scores) < 2:
        return lessons[0]
    return Lesson(lessons[0].laterals, torch.stack(scores).mean(dim=0), torch.stack(sides).mean(dim=0))


def _lesson(teacher: Network, images: Tensor, student: ModelConfig, size: tuple[int, int], *, outputs: bool) -> Lesson:
    laterals = teacher.laterals(images)
    if not outputs:
        return Lesson(laterals)
    maps = [x.float() for x in teacher.outputs(laterals)[: len(student.strides)]]
    if images.shape[1:3] != size:
        return Lesson(laterals, *resampled(maps, images.shape[1:3], student, size))
    classes, joined = len(student.labels), cells(maps)
    sides = joined[:, classes:].unflatten(1, (4, student.bins)).softmax(dim=2)
    return Lesson(laterals, joined[:, :classes].sigmoid(), sides)


def resampled(
    maps: Sequence[Tensor], seen: tuple[int, int], student: ModelConfig, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Scores and sides for the cells of an input of `size` from the head's maps for the same view at `seen`.

    A cell's scores are those of the four cells around its place in the larger view, by distance; its sides are those
    of the one among them whose score counts most, seen from the cell.
    """
    zoom = (seen[0] / size[0], seen[1] / size[1])
    levels = [
        _level(level, -(-size[0] // stride), -(-size[1] // stride), zoom, student)
        for level, stride in zip(maps, student.strides, strict=True)
    ]
    scores, sides = zip(*levels, strict=True)
    return torch.cat(scores, dim=2), torch.cat(sides, dim=3)


def _level(
    maps: Tensor, rows: int, columns: int, zoom: tuple[float, float], student: ModelConfig
) -> tuple[Tensor, Tensor]:
    """Scores (B, C, N) and sides (B, 4, bins, N) of a grid of rows x columns = N cells."""
    classes, width = len(student.labels), maps.shape[3]
    y, x = torch.meshgrid(
        torch.arange(rows, device=maps.device) * zoom[0],
        torch.arange(columns, device=maps.device) * zoom[1],
        indexing="ij",
    )
    y, x = y.flatten(), x.flatten()
    all_scores = maps[:, :classes].flatten(2).sigmoid()
    scores, places = [], []
    for row, down in _neighbours(y, maps.shape[2]):
        for column, right in _neighbours(x, width):
            places.append(row * width + column)
            scores.append(all_scores[:, :, places[-1]] * (down * right))
    best = torch.stack([found.amax(dim=1) for found in scores]).argmax(dim=0)  # (B, N)
    place = torch.stack(places, dim=1).expand(len(maps), -1, -1).gather(2, best.unsqueeze(2)).squeeze(2)
    sides = maps[:, classes:].flatten(2).gather(2, place.unsqueeze(1).expand(-1, 4 * student.bins, -1))
    dy, dx = place // width - y, place % width - x  # (B, N), from the cell to the neighbour, in the larger view's cells
    shift = torch.stack([-dx, -dy, dx, dy], dim=1)
    return torch.stack(scores).sum(dim=0), _moved(sides.unflatten(1, (4, student.bins)).softmax(dim=2), shift, zoom)


def _neighbours(places: Tensor, count: int) -> list[tuple[Tensor, Tensor]]:
    """The cells before and behind each place, with their shares."""
    before = places.floor().long().clamp(max=count - 1)
    share = (places - before).clamp(0, 1)
    return [(before, 1 - share), ((before + 1).clamp(max=count - 1), share)]


def _moved(sides: Tensor, shift: Tensor, zoom: tuple[float, float]) -> Tensor:
    """Distributions (B, 4, bins, N) moved by `shift` (B, 4, N) cells and made `zoom` (y, x) times as narrow."""
    bins = sides.shape[2]
    steps = torch.arange(bins, device=sides.device, dtype=sides.dtype).view(1, 1, -1, 1)
    places = (steps + shift.unsqueeze(2)).unflatten(1, (2, 2))  # (x, y) of the near, then of the far sides
    positions = torch.stack([places[:, :, 0] / zoom[1], places[:, :, 1] / zoom[0]], dim=2).flatten(1, 2)
    positions = positions.clamp(0, bins - 1)
    left = positions.floor().long().clamp(max=bins - 2)
    share = positions - left
    moved = torch.zeros_like(sides).scatter_add_(2, left, sides * (1 - share))
    return moved.scatter_add_(2, left + 1, sides * share)
