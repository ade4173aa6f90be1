"""What a view shows is where its boxes say, on the CPU and on a device, and its letterbox is the application's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from edgecam.detector.description import InputSpec, Layout, Resize
from edgecam.detector.preprocess import Preprocessor
from edgecam.evaluation.datasets.examples import Example
from edgecam.training.cache import Cache
from edgecam.training.device_renderer import DeviceRenderer
from edgecam.training.targets import EVERY_CLASS, Target, Trust, stack, target
from edgecam.training.tiles import Tile, quarters, whole
from edgecam.training.tiles import render as render_tiles
from edgecam.training.views import View, ViewConfig, draw, letterboxed, render
from tests.evaluation.toy_data import picture

PLAIN = ViewConfig().coloured(0)


def example(boxes: list[list[float]], **changes: object) -> Example:
    count = len(boxes)
    values = {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "class_ids": np.zeros(count, np.int64),
        "difficult": np.zeros(count, np.bool_),
        "labelled": frozenset({0}),
    }
    return Example(Path("x"), 100, 80, **(values | changes))  # type: ignore[arg-type]


def test_colours_change_as_strongly_as_is_said() -> None:
    shapes = (80, 100), (96, 128)
    unchanged = np.eye(3, 4, dtype=np.float32)

    def change(strength: float) -> float:
        config = ViewConfig(grey=0.0).coloured(strength)
        views = [draw(np.random.default_rng(seed), *shapes, config) for seed in range(20)]
        return float(np.mean([np.abs(view.colour - unchanged)[:, :3].mean() for view in views]))

    assert change(0) == pytest.approx(0, abs=1e-6)
    assert change(0.5) == pytest.approx(0.5 * change(1), rel=0.1)
    assert change(2) > 1.8 * change(1)
    assert ViewConfig().coloured(0).grey == 0


@pytest.mark.parametrize("seed", range(12))
def test_boxes_follow_the_pixels(seed: int) -> None:
    image = np.zeros((80, 100, 3), np.uint8)
    image[30:60, 20:70] = 255
    view = draw(np.random.default_rng(seed), (80, 100), (96, 128), PLAIN)
    shown = render(image, view, (96, 128))[:, :, 0] > 200
    (moved,) = np.clip(view.boxes(np.array([[20, 30, 70, 60]], np.float32)), 0, [128, 96, 128, 96])
    if min(moved[2] - moved[0], moved[3] - moved[1]) < 3:
        return
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(found, moved, atol=1.0)


def test_views_of_a_seed_are_the_same_and_mirror_half_of_the_time() -> None:
    views = [draw(np.random.default_rng([7, i]), (80, 100), (64, 64), ViewConfig()) for i in range(200)]
    again = draw(np.random.default_rng([7, 3]), (80, 100), (64, 64), ViewConfig())
    assert again.scale == views[3].scale
    assert 60 < sum(view.scale[0] < 0 for view in views) < 140


@pytest.mark.parametrize("seed", range(4))
def test_device_renders_what_the_cpu_renders(seed: int) -> None:
    pictures = [picture(seed)[0], picture(seed + 10, (90, 140))[0]]
    pixels = np.concatenate([p.ravel() for p in pictures])
    offsets = np.array([0, pictures[0].size])
    cache = Cache(pixels, offsets, np.array([p.shape[:2] for p in pictures]))
    rng = np.random.default_rng(seed)
    rows = []
    for first, windows in enumerate([whole((64, 96)), quarters(rng, (64, 96))]):
        items = [(0, (first + index) % 2) for index in range(len(windows))]
        sizes = [(bottom - top, right - left) for left, top, right, bottom in windows]
        shapes = [(pictures[i].shape[0], pictures[i].shape[1]) for _, i in items]
        views = [draw(rng, shape, size, ViewConfig()) for shape, size in zip(shapes, sizes, strict=True)]
        views = [dataclasses.replace(view, colour=views[0].colour) for view in views]
        rows.append([Tile(*tile) for tile in zip(items, windows, views, strict=True)])
    renderer = DeviceRenderer([cache], torch.device("cpu"))
    ours = renderer.render(renderer.sheet(rows, (64, 96))).numpy()
    theirs = np.stack([render_tiles(tiles, lambda item: pictures[item[1]], (64, 96)) for tiles in rows])
    difference = np.abs(ours.astype(int) - theirs)
    assert np.quantile(difference, 0.98) <= 4  # OpenCV's warp has 1/32 pixel steps
    assert difference.mean() < 1


@pytest.mark.parametrize("size_wh", [(160, 120), (120, 160), (64, 64), (200, 30)])
def test_letterbox_is_the_applications(size_wh: tuple[int, int]) -> None:
    image = picture(1, (max(size_wh[0], 80), max(size_wh[1], 80)))[0]
    spec = InputSpec(Layout.NHWC, "BGR", "uint8", resize=Resize.LETTERBOX, pad_value=114)
    prepare = Preprocessor(spec, (image.shape[1], image.shape[0]), (96, 96))
    theirs = prepare(image)[0]
    view = letterboxed((image.shape[0], image.shape[1]), (96, 96))
    ours = render(image, view, (96, 96))
    box = np.array([[10, 20, 70, 60]], np.float32)
    np.testing.assert_allclose(view.boxes(box), prepare.letterbox.to_input(box), atol=1.0)
    assert np.abs(ours.astype(int) - theirs).mean() < 14  # noise: the two interpolate differently


def seen(photograph: Example, view: View | None = None) -> Target:
    return target(photograph, view or letterboxed((80, 100), (80, 100)), (1, 1), (80, 100), 3, Trust(0.25, 0.6))


def taught(**changes: object) -> Example:
    return example(
        [[10, 10, 40, 40]],
        teacher_boxes=np.array([[10, 10, 40, 40], [50, 10, 90, 40], [50, 50, 90, 70], [5, 5, 20, 20]], np.float32),
        teacher_ids=np.array([0, 1, 1, 2]),
        teacher_scores=np.array([0.9, 0.3, 0.1, 0.04], np.float32),
        **{"taught": True} | changes,
    )


def test_target_takes_teacher_boxes_only_for_classes_without_labels() -> None:
    shown = seen(taught())
    assert shown.class_ids.tolist() == [0, 1]
    np.testing.assert_allclose(shown.weights, [1, 0.5])


def test_what_a_teacher_doubts_is_neither_object_nor_background_of_its_class() -> None:
    shown = seen(taught())
    assert shown.looked_for == {0, 1, 2}  # a teacher looks for every class
    assert shown.ignored.tolist() == [[50, 50, 90, 70]]
    assert shown.ignored_ids.tolist() == [1]
    alone = seen(taught(taught=False))
    assert alone.looked_for == {0}


def test_a_batch_of_targets_is_filled_up_with_boxes_of_no_weight() -> None:
    batch = stack([seen(taught()), seen(example([]))], 3)
    assert batch.boxes.shape == (2, 8, 4)
    assert batch.weights.tolist()[0] == [1, 0.5, 0, 0, 0, 0, 0, 0]
    assert not batch.weights[1].any()
    assert batch.looked_for.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.ignored_ids.shape == (2, 8)


def test_an_enlarged_view_shows_the_same_larger() -> None:
    view = draw(np.random.default_rng(3), (80, 100), (64, 96), PLAIN)
    boxes = np.array([[20, 30, 70, 60]], np.float32)
    larger = view.enlarged(1.5, 2.0)
    np.testing.assert_allclose(larger.boxes(boxes), view.boxes(boxes) * [1.5, 2, 1.5, 2], rtol=1e-5)
    assert (larger.scale[0] < 0) == (view.scale[0] < 0)


def test_target_ignores_difficult_and_hidden_objects() -> None:
    boxes = [[10, 10, 40, 40], [60, 10, 90, 40], [95, 70, 140, 110]]
    hard = example(boxes, difficult=np.array([False, True, False]))
    shown = seen(hard)
    assert shown.boxes.tolist() == [boxes[0]]
    assert shown.ignored_ids.tolist() == [EVERY_CLASS, EVERY_CLASS]
    empty = seen(example([]))
    assert empty.boxes.shape == (0, 4)
