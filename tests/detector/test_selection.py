"""The user's choice among candidates."""

from __future__ import annotations

import numpy as np
import pytest

from edgecam.detections import Detections
from edgecam.detector.selection import Selection

CANDIDATES = Detections(
    np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60], [0, 0, 10, 10]], np.float32),
    np.array([0.5, 0.9, 0.4, 0.7], np.float32),
    np.array([0, 0, 1, 2], np.int64),
)


@pytest.mark.parametrize(
    ("selection", "scores"),
    [
        (Selection(0.1, 0.5), [0.9, 0.7, 0.4]),  # best first, the repetition gone
        (Selection(0.1, 1.0), [0.9, 0.7, 0.5, 0.4]),  # nothing counts as a repetition
        (Selection(0.5, 0.5), [0.9, 0.7]),  # the threshold itself is shown
        (Selection(0.95, 0.5), []),
        (Selection(0.1, 0.5, frozenset({1, 2})), [0.7, 0.4]),
        (Selection(0.1, 0.5, frozenset()), []),  # no class at all
        (Selection(0.1, 0.5, frozenset({77})), []),  # a class nobody knows
        (Selection(0.1, 0.5, None, 1), [0.9]),
    ],
)
def test_selection(selection: Selection, scores: list[float]) -> None:
    assert selection.apply(CANDIDATES).scores.tolist() == pytest.approx(scores)


def test_nothing_selects_nothing() -> None:
    assert len(Selection().apply(Detections.empty())) == 0


def test_one_thing_has_one_label_where_a_viewer_wants_it() -> None:
    candidates = Detections(
        np.array([[0, 0, 100, 100], [2, 1, 101, 102], [0, 0, 60, 100]], np.float32),
        np.array([0.5, 0.6, 0.4], np.float32),
        np.array([16, 15, 0], np.int64),
    )
    assert len(Selection(0.1, 0.6).apply(candidates)) == 3
    assert Selection(0.1, 0.6, one_label_iou=0.8).apply(candidates).class_ids.tolist() == [15, 0]
