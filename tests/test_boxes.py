"""Overlap, suppression and the letterbox, as tables of exact cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecam import boxes
from edgecam.boxes import Letterbox

NONE = np.empty((0, 4), np.float32)


def rows(*values: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (rows((0, 0, 10, 10)), rows((0, 0, 10, 10)), 1.0),  # the same
        (rows((0, 0, 10, 10)), rows((10, 0, 20, 10)), 0.0),  # touching edges
        (rows((0, 0, 10, 10)), rows((5, 0, 15, 10)), 1 / 3),  # half over half
        (rows((0, 0, 10, 10)), rows((2, 2, 7, 7)), 0.25),  # one inside the other
        (rows((3, 3, 3, 3)), rows((3, 3, 3, 3)), 0.0),  # no area at all
        (rows((9, 9, 1, 1)), rows((0, 0, 10, 10)), 0.0),  # turned inside out
        (rows((-4, -4, 4, 4)), rows((0, 0, 4, 4)), 0.25),  # negative corners
    ],
)
def test_iou(a: np.ndarray, b: np.ndarray, expected: float) -> None:
    assert boxes.iou(a, b) == pytest.approx(np.array([[expected]]))
    assert boxes.iou(b, a) == pytest.approx(np.array([[expected]]))


def test_iou_of_nothing_has_the_right_shape() -> None:
    assert boxes.iou(NONE, rows((0, 0, 1, 1))).shape == (0, 1)
    assert boxes.iou(NONE, NONE).shape == (0, 0)


NMS_CASES = {
    "empty": ([], [], [], 0.5, []),
    "one": ([(0, 0, 9, 9)], [0.3], [0], 0.5, [0]),
    "repetition dropped": ([(0, 0, 10, 10), (0, 0, 10, 9)], [0.8, 0.9], [0, 0], 0.5, [1]),
    "other class kept": ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.8, 0.9], [0, 1], 0.5, [1, 0]),
    "overlap equal to the threshold kept": ([(0, 0, 10, 10), (0, 0, 10, 5)], [0.9, 0.8], [0, 0], 0.5, [0, 1]),
    "tie keeps the first": ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.5], [0, 0], 0.5, [0]),
    "a dropped box suppresses nothing": (
        [(0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10)],
        [0.9, 0.8, 0.7],
        [0, 0, 0],
        0.3,
        [0, 2],
    ),
    "threshold 1 keeps all": ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.6], [0, 0], 1.0, [1, 0]),
    "threshold 0 keeps what does not touch": (
        [(0, 0, 10, 10), (9, 9, 19, 19), (30, 30, 40, 40)],
        [0.9, 0.8, 0.7],
        [0, 0, 0],
        0.0,
        [0, 2],
    ),
    "empty boxes stay": ([(5, 5, 5, 5), (5, 5, 5, 5)], [0.9, 0.8], [0, 0], 0.5, [0, 1]),
}


@pytest.mark.parametrize(("box", "scores", "ids", "threshold", "kept"), NMS_CASES.values(), ids=NMS_CASES)
def test_nms(box: list, scores: list, ids: list, threshold: float, kept: list[int]) -> None:
    found = boxes.nms(rows(*box), np.array(scores, np.float32), np.array(ids, np.int64), iou_threshold=threshold)
    assert found.tolist() == kept


def _plain_nms(box: np.ndarray, scores: np.ndarray, ids: np.ndarray, threshold: float) -> list[int]:
    """The definition, box by box."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if all(ids[i] != ids[j] or boxes.iou(box[[i]], box[[j]])[0, 0] <= threshold for j in kept):
            kept.append(int(i))
    return kept


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.95]))
def test_nms_is_the_greedy_definition(seed: int, count: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, 30, (count, 2)), rng.integers(0, 30, (count, 2))
    box = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores = rng.integers(0, 5, count).astype(np.float32) / 5  # many ties
    ids = rng.integers(0, 3, count)
    once = _plain_nms(box, scores, ids, threshold)
    assert boxes.nms(box, scores, ids, iou_threshold=threshold).tolist() == once
    across = _plain_nms(box[once], scores[once], np.zeros(len(once)), 0.6)
    twice = boxes.nms(box, scores, ids, iou_threshold=threshold, one_label_iou=0.6)
    assert twice.tolist() == [once[i] for i in across]


@pytest.mark.parametrize(
    ("frame_wh", "input_wh", "centred", "left_top", "scaled_wh"),
    [
        ((640, 480), (320, 320), True, (0, 40), (320, 240)),
        ((640, 480), (320, 320), False, (0, 0), (320, 240)),
        ((480, 640), (320, 320), True, (40, 0), (240, 320)),
        ((1280, 720), (320, 192), True, (0, 6), (320, 180)),
        ((320, 320), (320, 320), True, (0, 0), (320, 320)),
        ((640, 427), (320, 320), True, (0, 53), (320, 214)),  # odd padding: 53 above, 53 below
        ((641, 427), (320, 320), True, (0, 53), (320, 213)),  # 53 above, 54 below
        ((100, 50), (320, 320), True, (0, 80), (320, 160)),  # smaller than the input
        ((5000, 2), (64, 64), True, (0, 31), (64, 1)),  # never less than one pixel
    ],
)
def test_letterbox_places_the_frame(
    frame_wh: tuple[int, int],
    input_wh: tuple[int, int],
    centred: bool,
    left_top: tuple[int, int],
    scaled_wh: tuple[int, int],
) -> None:
    box = Letterbox.fit(frame_wh, input_wh, centred=centred)
    assert (box.left, box.top) == left_top
    assert box.scaled_wh == scaled_wh


def test_the_whole_frame_lies_exactly_on_its_place() -> None:
    box = Letterbox.fit((641, 427), (320, 320))
    inside = box.to_input(rows((0, 0, 641, 427)))
    assert inside.tolist() == [[box.left, box.top, box.left + box.scaled_wh[0], box.top + box.scaled_wh[1]]]
    assert Letterbox.stretch((641, 427), (320, 200)).to_input(rows((0, 0, 641, 427))).tolist() == [[0, 0, 320, 200]]


@given(
    st.tuples(st.integers(16, 4000), st.integers(16, 4000)),
    st.tuples(st.integers(32, 1280), st.integers(32, 1280)),
    st.sampled_from(["centred", "corner", "stretch"]),
)
def test_letterbox_there_and_back(frame_wh: tuple[int, int], input_wh: tuple[int, int], how: str) -> None:
    box = (
        Letterbox.stretch(frame_wh, input_wh)
        if how == "stretch"
        else Letterbox.fit(frame_wh, input_wh, centred=how == "centred")
    )
    w, h = frame_wh
    some = rows((0, 0, w, h), (w / 4, h / 3, w / 2, h / 1.5))
    assert box.to_frame(box.to_input(some)) == pytest.approx(some, abs=max(frame_wh) * 1e-4)
    assert box.to_frame(NONE).shape == (0, 4)


def test_clip() -> None:
    found = boxes.clip(rows((-5, -5, 700, 500), (10, 20, 30, 40), (900, 900, 950, 950)), (640, 480))
    assert found.tolist() == [[0, 0, 640, 480], [10, 20, 30, 40], [640, 480, 640, 480]]
    assert boxes.clip(NONE, (640, 480)).shape == (0, 4)
