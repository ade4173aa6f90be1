"""Objects get the cells they should, and the losses are sound where there is nothing to learn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from edgecam.detector.gfl import cell_points, decode_gfl
from edgecam.training.assignment import assign, decode, giou, labels_terms, pairwise_iou
from edgecam.training.objectives import classes_loss, distances_loss, maps_loss
from edgecam.training.views import Target
from tests.training.toy import SMALL

SIZE = (64, 96)
CELLS = 8 * 12 + 4 * 6 + 2 * 3 + 1 * 2
CONFIG = dataclasses.replace(SMALL, norm=())


def shown(boxes: list[list[float]], ids: list[int], labelled: set[int] | None = None, **changes: object) -> Target:
    target = Target(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(ids, np.int64),
        np.ones(len(ids), np.float32),
        np.zeros((0, 4), np.float32),
        frozenset({0, 1} if labelled is None else labelled),
    )
    return dataclasses.replace(target, **changes)  # type: ignore[arg-type]


def output(fill: float = -3.0) -> torch.Tensor:
    values = torch.full((1, 2 + 32, CELLS), fill)
    values[:, 2:] = torch.randn(1, 32, CELLS, generator=torch.Generator().manual_seed(0))
    return values.requires_grad_()


def test_no_object_gives_no_box_loss_but_a_class_loss() -> None:
    x = output()
    terms = labels_terms(x, [shown([], [])], SIZE, CONFIG)
    assert float(terms["giou"].detach()) == float(terms["dfl"].detach()) == 0
    assert float(terms["qfl"].detach()) > 0
    sum(terms.values()).backward()  # type: ignore[union-attr]
    assert torch.isfinite(x.grad).all()  # type: ignore[arg-type]


def test_objects_get_cells_inside_themselves() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    truth = torch.tensor([[8.0, 8.0, 40.0, 40.0], [50.0, 20.0, 90.0, 60.0]])
    boxes = torch.cat([points - 12, points + 12], dim=1)
    found = assign(torch.full((CELLS, 2), 0.1), boxes, points, sizes, truth, torch.tensor([0, 1]))
    assert set(found.objects.tolist()) == {0, 1}
    chosen = points[found.cells]
    own = truth[found.objects]
    assert ((chosen > own[:, :2]) & (chosen < own[:, 2:])).all()
    assert len(found.cells.unique()) == len(found.cells)


def test_an_object_that_no_cell_lies_in_is_left_out() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    tiny = torch.tensor([[1.0, 1.0, 5.0, 5.0]])
    found = assign(torch.rand(CELLS, 2), torch.cat([points, points + 8], 1), points, sizes, tiny, torch.tensor([0]))
    assert len(found.cells) == 0


def test_classes_that_were_not_looked_for_are_not_background() -> None:
    x = output(2.0)
    labels_terms(x, [shown([], [], labelled={0})], SIZE, CONFIG)["qfl"].backward()
    assert x.grad is not None
    assert float(x.grad[0, 0].abs().sum()) > 0
    assert float(x.grad[0, 1].abs().sum()) == 0


def test_ignored_boxes_are_not_background() -> None:
    x = output(2.0)
    target = shown([], [], ignored=np.array([[0, 0, 96, 64]], np.float32))
    labels_terms(x, [target], SIZE, CONFIG)["qfl"].backward()
    assert x.grad is not None
    points = torch.from_numpy(cell_points(SIZE, CONFIG.strides, 0.0)[0])
    inside = (points > 0).all(dim=1)
    assert float(x.grad[0, :2, inside].abs().sum()) == 0
    assert float(x.grad[0, :2, ~inside].abs().sum()) > 0


def test_loss_falls_when_a_free_output_follows_it() -> None:
    x = output().detach().requires_grad_()
    target = shown([[8, 8, 40, 40], [50, 20, 90, 60]], [0, 1])
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        sum(labels_terms(x, [target], SIZE, CONFIG).values()).backward()  # type: ignore[union-attr]
        optimizer.step()
    found = decode_gfl(
        x.detach().numpy()[0],
        input_hw=SIZE,
        strides=CONFIG.strides,
        bins=8,
        cell_offset=0.0,
        logits=True,
        score_floor=0.5,
    )
    for box, class_id in zip(target.boxes, target.class_ids, strict=True):
        same = found.boxes[found.class_ids == class_id]
        assert pairwise_iou(torch.from_numpy(same), torch.from_numpy(box[None])).max() > 0.9


def test_decoding_is_the_applications() -> None:
    logits = torch.randn(2 + 32, CELLS)
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    boxes = decode(logits[2:].t().reshape(CELLS, 4, 8), points, sizes)
    theirs = decode_gfl(
        logits.numpy(),
        input_hw=SIZE,
        strides=CONFIG.strides,
        bins=8,
        cell_offset=0.0,
        logits=True,
        score_floor=1e-6,
    )
    np.testing.assert_allclose(np.sort(theirs.boxes, axis=0), np.sort(boxes.numpy(), axis=0), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 1.0),
        ([0, 0, 2, 2], [2, 0, 4, 2], 0.0),  # touching
        ([0, 0, 1, 1], [3, 0, 4, 1], -0.5),  # a hull of 4, a union of 2
    ],
)
def test_giou(a: list[float], b: list[float], expected: float) -> None:
    assert float(giou(torch.tensor([a], dtype=torch.float), torch.tensor([b], dtype=torch.float))) == pytest.approx(
        expected
    )


def test_distillation_is_zero_for_the_teacher_itself() -> None:
    maps = [torch.randn(2, 4, 5, 5)]
    logits, sides = torch.randn(2, 3, 10), torch.randn(2, 32, 10)
    assert float(maps_loss(maps, maps)) == 0
    assert float(classes_loss(logits, logits)) == 0
    assert float(distances_loss(sides, sides, torch.ones(2, 10), 8)) == pytest.approx(0, abs=1e-6)
    assert float(maps_loss([maps[0] + 1], maps)) > 0.5
