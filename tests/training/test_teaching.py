"""What a teacher says of a larger view, said for the cells of a smaller one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import torch

from edgecam.errors import DataError
from edgecam.training.batches import Stream, teacher_size
from edgecam.training.labels_loss import _points, decode
from edgecam.training.network import cells
from edgecam.training.objectives import Distillation
from edgecam.training.plan import check
from edgecam.training.teaching import ask, resampled
from tests.training.toy import SIZE, SMALL, small_network, toy_plan, toy_source

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = dataclasses.replace(SMALL, norm=())
SEEN = (96, 96)  # 1.5 times SIZE


def head_maps(size: tuple[int, int], box: tuple[float, ...], class_id: int) -> list[torch.Tensor]:
    """Maps of a head that sees one object, from every cell inside it, and nothing elsewhere."""
    maps = []
    for stride in CONFIG.strides:
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        map_ = torch.zeros(1, len(CONFIG.labels) + 4 * CONFIG.bins, rows, columns)
        map_[:, : len(CONFIG.labels)] = -9
        for i in range(rows):
            for j in range(columns):
                sides = (j * stride - box[0], i * stride - box[1], box[2] - j * stride, box[3] - i * stride)
                if min(sides) < 0:
                    continue
                map_[0, class_id, i, j] = 4
                for side, distance in enumerate(sides):
                    steps = min(distance / stride, CONFIG.bins - 1 - 1e-3)
                    low, share = int(steps), steps - int(steps)
                    bins = map_[0, len(CONFIG.labels) + side * CONFIG.bins :][: CONFIG.bins, i, j]
                    bins.fill_(-20)
                    bins[low], bins[low + 1] = torch.tensor([1 - share, share]).clamp(min=1e-6).log()
        maps.append(map_)
    return maps


def test_an_object_of_the_larger_view_is_where_it_is_in_the_smaller() -> None:
    box = (6.0, 9.0, 54.0, 57.0)
    larger = tuple(1.5 * side for side in box)
    scores, sides = resampled(head_maps(SEEN, larger, 1), SEEN, CONFIG, SIZE)
    points, sizes = _points(SIZE, CONFIG.strides, torch.device("cpu"))
    assert scores.shape == (1, len(CONFIG.labels), len(points))
    assert sides.shape == (1, 4, CONFIG.bins, len(points))
    torch.testing.assert_close(sides.sum(dim=2), torch.ones(1, 4, len(points)))
    found = scores[0, 1] > 0.9
    inside = (points > torch.tensor(box[:2])).all(dim=1) & (points < torch.tensor(box[2:])).all(dim=1)
    assert (inside | ~found).all()
    assert int(found.sum()) > 0.6 * int(inside.sum())
    boxes = decode(sides[0].permute(2, 0, 1).log(), points, sizes)[found]
    within = (sizes[found] > 8) | ((boxes - torch.tensor(box)).abs().amax(dim=1) < 1)  # stride 8 reaches 56 pixels
    assert ((boxes - torch.tensor(box)).abs().amax(dim=1)[within] < 1).all()
    assert int(within.sum()) > 10


def test_a_view_of_the_same_size_is_taken_as_it_is() -> None:
    teacher = small_network(norm=()).eval()
    images = torch.randint(0, 255, (2, *SIZE, 3), dtype=torch.uint8)
    lesson = ask([teacher], images, CONFIG, SIZE, outputs=True)
    output = cells(teacher(images))
    assert lesson.scores is not None
    assert lesson.sides is not None
    torch.testing.assert_close(lesson.scores, output[:, : len(CONFIG.labels)].sigmoid())
    scores, sides = resampled([m.detach() for m in teacher(images)], SIZE, CONFIG, SIZE)
    torch.testing.assert_close(scores, lesson.scores)
    torch.testing.assert_close(sides, lesson.sides)
    assert ask([teacher], images, CONFIG, SIZE, outputs=False).scores is None


def test_the_stream_shows_the_teacher_the_same_views_larger(tmp_path: Path) -> None:
    plan = toy_plan(teacher_zoom=1.5)
    source = toy_source(tmp_path)
    batch = Stream([source], batch=4, sizes=[SIZE], view=plan.view, seed=0, teacher_zoom=1.5).at(0)
    assert batch.teacher_images.shape == (4, *SEEN, 3)
    small = torch.nn.functional.interpolate(
        batch.teacher_images.permute(0, 3, 1, 2).float(), SIZE, mode="bilinear", antialias=True
    )
    difference = (small.permute(0, 2, 3, 1) - batch.images.float()).abs().mean()
    assert difference < 12  # noise of the toy's pictures
    assert teacher_size((320, 320), 1.3) == (416, 416)


@pytest.mark.parametrize("zoom", [0.5, 5.0])
def test_a_zoom_that_cannot_be_is_refused(zoom: float) -> None:
    with pytest.raises(DataError, match="--teacher-zoom"):
        check(toy_plan(teacher_zoom=zoom, distillation=Distillation()))
