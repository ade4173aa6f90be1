"""Objects get the cells they should, and the losses are sound where there is nothing to learn."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from edgecam.detector.gfl import cell_points, decode_gfl
from edgecam.training.assignment import assign, boxes_hold, giou, pairwise_iou
from edgecam.training.labels_loss import decode, labels_terms
from edgecam.training.objectives import classes_loss, distances_loss, maps_loss
from edgecam.training.targets import EVERY_CLASS, Target, Targets, stack
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
        np.zeros(0, np.int64),
        frozenset({0, 1} if labelled is None else labelled),
    )
    return dataclasses.replace(target, **changes)  # type: ignore[arg-type]


def batch(*targets: Target) -> Targets:
    return stack(targets, 2)


def output(fill: float = -3.0) -> torch.Tensor:
    values = torch.full((1, 2 + 32, CELLS), fill)
    values[:, 2:] = torch.randn(1, 32, CELLS, generator=torch.Generator().manual_seed(0))
    return values.requires_grad_()


def test_no_object_gives_no_box_loss_but_a_class_loss() -> None:
    x = output()
    terms = labels_terms(x, batch(shown([], [])), SIZE, CONFIG)
    assert float(terms["giou"].detach()) == float(terms["dfl"].detach()) == 0
    assert float(terms["qfl"].detach()) > 0
    sum(terms.values()).backward()  # type: ignore[union-attr]
    assert torch.isfinite(x.grad).all()  # type: ignore[arg-type]


def test_objects_get_cells_inside_themselves() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    targets = batch(shown([[8, 8, 40, 40], [50, 20, 90, 60]], [0, 1]))
    boxes = torch.cat([points - 12, points + 12], dim=1)
    found = assign(torch.full((1, CELLS, 2), 0.1), boxes[None], points, sizes, targets)
    taken = found.objects[0][found.positive[0]]
    assert set(taken.tolist()) == {0, 1}
    chosen, own = points[found.positive[0]], targets.boxes[0, taken]
    assert ((chosen > own[:, :2]) & (chosen < own[:, 2:])).all()
    candidates = boxes_hold(targets.boxes[:, :2], points)[0].any(dim=1)
    for index in (0, 1):  # as many cells as its best overlaps' sum
        ious = pairwise_iou(boxes[candidates], targets.boxes[0, index : index + 1])
        assert int((taken == index).sum()) == max(1, int(ious[:, 0].topk(13).values.sum()))


def test_images_of_a_batch_do_not_mind_each_other() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    generator = torch.Generator().manual_seed(2)
    scores = torch.rand(2, CELLS, 2, generator=generator)
    sides = 20 * torch.rand(2, CELLS, 4, generator=generator)
    boxes = torch.cat([points - sides[..., :2], points + sides[..., 2:]], dim=2)
    many = [[8.0 * i, 4.0, 8.0 * i + 30, 50.0] for i in range(9)]
    targets = [shown([[8, 8, 40, 40]], [1]), shown(many, [i % 2 for i in range(9)])]
    together = assign(scores, boxes, points, sizes, batch(*targets))
    assert int(together.positive[1].sum()) >= 9
    for row, target in enumerate(targets):
        alone = assign(scores[row : row + 1], boxes[row : row + 1], points, sizes, batch(target))
        assert torch.equal(together.positive[row], alone.positive[0])
        assert torch.equal(together.objects[row], alone.objects[0])
        assert torch.equal(together.ious[row], alone.ious[0])


def test_the_cheapest_cells_are_taken_and_a_cell_that_two_want_goes_to_the_cheaper() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    truth = [[8.0, 8.0, 56.0, 56.0], [10.0, 10.0, 58.0, 58.0]]
    scores = torch.full((1, CELLS, 2), 0.5)
    boxes = torch.tensor(truth[1]).expand(1, CELLS, 4)  # every cell says the second object
    found = assign(scores, boxes, points, sizes, batch(shown(truth, [0, 1])))
    assert set(found.objects[found.positive].tolist()) == {1}
    assert int(found.positive.sum()) == 13
    distance = (points - torch.tensor([34.0, 34.0])).norm(dim=1) / sizes
    both = found.positive[0] & (distance > 3)
    assert not both.any()  # cells beyond the centre's radius cost more, and there were enough within it


def test_an_object_that_no_cell_lies_in_is_left_out() -> None:
    points, sizes = (torch.from_numpy(a) for a in cell_points(SIZE, CONFIG.strides, 0.0))
    tiny = batch(shown([[1, 1, 5, 5]], [0]))
    found = assign(torch.rand(1, CELLS, 2), torch.cat([points, points + 8], 1)[None], points, sizes, tiny)
    assert not found.positive.any()


def test_classes_that_were_not_looked_for_are_not_background() -> None:
    x = output(2.0)
    labels_terms(x, batch(shown([], [], labelled={0})), SIZE, CONFIG)["qfl"].backward()
    assert x.grad is not None
    assert float(x.grad[0, 0].abs().sum()) > 0
    assert float(x.grad[0, 1].abs().sum()) == 0


@pytest.mark.parametrize(("class_id", "spared"), [(EVERY_CLASS, [0, 1]), (1, [1])])
def test_ignored_boxes_are_not_background(class_id: int, spared: list[int]) -> None:
    x = output(2.0)
    hidden = {"ignored": np.array([[0, 0, 96, 64]], np.float32), "ignored_ids": np.array([class_id])}
    labels_terms(x, batch(shown([], [], **hidden)), SIZE, CONFIG)["qfl"].backward()
    assert x.grad is not None
    points = torch.from_numpy(cell_points(SIZE, CONFIG.strides, 0.0)[0])
    inside = (points > 0).all(dim=1)
    for one in (0, 1):
        assert (float(x.grad[0, one, inside].abs().sum()) == 0) == (one in spared)
        assert float(x.grad[0, one, ~inside].abs().sum()) > 0


def test_loss_falls_when_a_free_output_follows_it() -> None:
    x = output().detach().requires_grad_()
    target = shown([[8, 8, 40, 40], [50, 20, 90, 60]], [0, 1])
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        sum(labels_terms(x, batch(target), SIZE, CONFIG).values()).backward()  # type: ignore[union-attr]
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
    distributions = sides.view(2, 4, 8, 10).softmax(dim=2)
    assert float(maps_loss(maps, maps)) == 0
    assert float(classes_loss(logits, logits.sigmoid())) == 0
    assert float(distances_loss(sides, distributions, torch.ones(2, 10))) == pytest.approx(0, abs=1e-6)
    assert float(distances_loss(sides.flip(2), distributions, torch.ones(2, 10))) > 0.1
    assert float(maps_loss([maps[0] + 1], maps)) > 0.5
