"""Views of several photographs: each is where its window is, its boxes with it, and none of them at a run's end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from edgecam.errors import DataError
from edgecam.training.batches import Stream
from edgecam.training.mixing import draw_shares, mix_images, mix_targets
from edgecam.training.plan import check
from edgecam.training.targets import Target, joined, stack
from edgecam.training.tiles import Tile, in_tiles, quarters, render, whole
from edgecam.training.views import ViewConfig, draw
from tests.training.toy import SIZE, toy_plan, toy_source

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = ViewConfig(brightness=0, contrast=0, saturation=0, tint=0, grey=0)

WAITED_FOR = """
import time
from edgecam.training.prefetching import by_processes
from edgecam.training.processes import signals

with signals() as interrupted:
    seen = []
    for item in by_processes(lambda step: step, 0, 1000):
        seen.append(item)
        if len(seen) == 1:
            print("going", flush=True)
        time.sleep(0.02)
        if interrupted.is_set() and len(seen) % 50 == 0:
            break
print("saved", seen == list(range(len(seen))), flush=True)
"""


def shown(boxes: list[list[float]], looked_for: set[int], weight: float = 1.0) -> Target:
    count = len(boxes)
    return Target(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros(count, np.int64),
        np.full(count, weight, np.float32),
        np.array([[0, 0, 4, 4]], np.float32),
        np.array([1], np.int64),
        frozenset(looked_for),
    )


@pytest.mark.parametrize("seed", range(5))
def test_four_windows_fill_the_view_and_each_shows_its_photograph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    windows = quarters(rng, (96, 128))
    filled = np.zeros((96, 128), np.int64)
    for left, top, right, bottom in windows:
        filled[top:bottom, left:right] += 1
    assert (filled == 1).all()
    greys = [np.full((80, 100, 3), 40 * (index + 1), np.uint8) for index in range(4)]
    tiles = []
    for index, window in enumerate(windows):
        size = (window[3] - window[1], window[2] - window[0])
        tiles.append(Tile((0, index), window, draw(rng, (80, 100), size, in_tiles(PLAIN))))
        assert tiles[-1].size == size
    image = render(tiles, lambda item: greys[item[1]], (96, 128))
    for index, (left, top, right, bottom) in enumerate(windows):
        values = set(np.unique(image[top:bottom, left:right]).tolist())
        assert 40 * (index + 1) in values
        middle = image[(top + bottom) // 2, (left + right) // 2]
        assert middle.tolist() in ([40 * (index + 1)] * 3, [114] * 3)


def test_an_enlarged_mosaic_is_the_same_larger() -> None:
    (tile,) = [Tile((0, 1), window, draw(np.random.default_rng(1), (80, 100), SIZE, PLAIN)) for window in whole(SIZE)]
    larger = tile.enlarged(1.5, 2)
    assert larger.window == (0, 0, SIZE[1] * 1.5, SIZE[0] * 2)
    assert larger.item == tile.item


def test_boxes_of_a_mosaic_lie_in_its_windows() -> None:
    both = joined([shown([[1, 2, 5, 6]], {0, 1}), shown([[1, 2, 5, 6]], {1, 2})], [(0, 0), (30, 20)])
    assert both.boxes.tolist() == [[1, 2, 5, 6], [31, 22, 35, 26]]
    assert both.ignored.tolist() == [[0, 0, 4, 4], [30, 20, 34, 24]]
    assert both.looked_for == {1}  # a class that one photograph was not searched for may be there


def test_a_mosaics_boxes_hold_what_its_photographs_boxes_held(tmp_path: Path) -> None:
    """The toy's objects are of one colour each: their mean colour is found again in the mosaic's boxes."""
    source = toy_source(tmp_path)
    plain = ViewConfig(scale=(1.0, 1.0), brightness=0, contrast=0, saturation=0, tint=0, grey=0)
    stream = Stream([source], batch=16, sizes=[(128, 128)], view=plain, seed=0, mosaic=1.0, composed_steps=1)
    colours: dict[int, list[np.ndarray]] = {}
    for number, example in enumerate(source.dataset.examples):
        picture = source.cache.picture(number)
        for (x1, y1, x2, y2), class_id in zip(example.boxes.astype(int), example.class_ids, strict=True):
            colours.setdefault(int(class_id), []).append(picture[y1:y2, x1:x2].mean(axis=(0, 1)))
    means = {class_id: np.mean(found, axis=0) for class_id, found in colours.items()}
    batch, right, total = stream.at(0), 0, 0
    for image, boxes, ids, weights in zip(
        batch.images.numpy(), batch.targets.boxes, batch.targets.class_ids, batch.targets.weights, strict=True
    ):
        for (x1, y1, x2, y2), class_id in zip(
            boxes[weights > 0].int().tolist(), ids[weights > 0].tolist(), strict=True
        ):
            inside = image[y1:y2, x1:x2].mean(axis=(0, 1))
            distances = {other: float(np.abs(inside - mean).sum()) for other, mean in means.items()}
            right += min(distances, key=lambda other: distances[other]) == class_id
            total += 1
    assert total > 40
    assert right > 0.9 * total


def test_a_runs_end_shows_whole_photographs(tmp_path: Path) -> None:
    source = toy_source(tmp_path)
    plan = toy_plan(mosaic=1.0, mix=1.0, views=4 * 20)
    composed, ordinary = plan.stream([source]), toy_plan().stream([source])
    assert plan.composed_steps == 17
    assert torch.equal(composed.at(17).images, ordinary.at(17).images)
    assert not torch.equal(composed.at(16).images, ordinary.at(16).images)


def test_a_mixed_view_shows_both_and_weighs_their_boxes() -> None:
    targets = stack([shown([[1, 1, 9, 9]], {0, 1}), shown([[2, 2, 8, 8], [3, 3, 9, 9]], {0})], 2)
    shares = torch.tensor([0.75, 1.0])
    images = torch.stack([torch.full((4, 4, 3), 200, dtype=torch.uint8), torch.full((4, 4, 3), 100, dtype=torch.uint8)])
    mixed = mix_images(images, shares)
    assert mixed[0].unique().tolist() == [175]
    assert torch.equal(mixed[1], images[1])
    both = mix_targets(targets, shares)
    first = both.weights[0] > 0
    assert both.boxes[0][first].tolist() == [[1, 1, 9, 9], [2, 2, 8, 8], [3, 3, 9, 9]]
    assert both.weights[0][first].tolist() == [0.75, 0.25, 0.25]
    assert both.weights[1][both.weights[1] > 0].tolist() == [1, 1]
    assert both.looked_for.tolist() == [[1, 0], [1, 0]]
    assert both.ignored[0].any(dim=1).sum() == 2
    assert both.ignored[1].any(dim=1).sum() == 1


def test_shares_are_even_and_as_many_as_asked_for() -> None:
    shares = draw_shares(np.random.default_rng(0), 4000, 0.25)
    mixed = shares[shares < 1]
    assert 0.22 < len(mixed) / len(shares) < 0.28
    assert 0.45 < float(mixed.mean()) < 0.55
    assert float(mixed.min()) > 0


@pytest.mark.parametrize("change", [{"mosaic": 1.5}, {"mix": -0.1}])
def test_shares_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(DataError, match=f"--{next(iter(change))}"):
        check(toy_plan(**change))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_the_whole_group_does_not_end_those_who_draw(number: signal.Signals) -> None:
    """As Ctrl-C and `timeout` do; the training still has its checkpoint to write."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITED_FOR],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=60)
    assert output == "saved True\n", errors
    assert process.returncode == 0
