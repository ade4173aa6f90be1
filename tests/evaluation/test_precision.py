"""Average precision on cases whose result is known beforehand."""

from __future__ import annotations

import math

import pytest

from edgecam.detections import Detections
from edgecam.evaluation.voc import voc_ap50
from tests.evaluation.toy_truth import CAT, DOG, dataset, example, found

pytest.importorskip("pycocotools")

from edgecam.evaluation.coco import judge


def test_perfect_detections_have_full_precision() -> None:
    truth = dataset(example([CAT, DOG], [0, 1]))
    accuracy = judge(truth, [found([CAT, DOG], [0.9, 0.8], [0, 1])])
    assert accuracy.ap == pytest.approx(100)
    assert accuracy.ap50 == pytest.approx(100)
    assert accuracy.ap_medium == pytest.approx(100)
    assert math.isnan(accuracy.ap_large)
    assert accuracy.per_class["dog"] == (pytest.approx(100), pytest.approx(100))
    assert voc_ap50(truth, [found([CAT, DOG], [0.9, 0.8], [0, 1])]) == pytest.approx(100)


def test_a_shifted_box_counts_at_low_overlap_only() -> None:
    shifted = [10.0, 10.0, 50.0, 40.0]  # IoU 0.75
    accuracy = judge(dataset(example([CAT], [0])), [found([shifted], [0.9], [0])])
    assert accuracy.ap50 == pytest.approx(100)
    assert accuracy.ap == pytest.approx(60)  # 0.50, 0.55 … 0.75 of ten thresholds


def test_a_better_false_positive_halves_precision() -> None:
    truth = dataset(example([CAT], [0]))
    result = [found([DOG, CAT], [0.9, 0.8], [0, 0])]
    assert voc_ap50(truth, result) == pytest.approx(50)
    assert judge(truth, result).ap50 == pytest.approx(50)


def test_a_second_hit_on_the_same_object_is_wrong() -> None:
    truth = dataset(example([CAT, DOG], [0, 0]))
    assert voc_ap50(truth, [found([CAT, CAT, DOG], [0.9, 0.8, 0.7], [0, 0, 0])]) == pytest.approx(
        100 * (0.5 + 0.5 * 2 / 3)
    )


def test_difficult_objects_are_neither_hits_nor_misses() -> None:
    truth = dataset(example([CAT, DOG], [0, 0], [False, True]))
    for result in ([found([CAT, DOG], [0.8, 0.9], [0, 0])], [found([CAT], [0.8], [0])]):
        assert voc_ap50(truth, result) == pytest.approx(100)
        assert judge(truth, result).ap50 == pytest.approx(100)


def test_nothing_found_and_nothing_to_find() -> None:
    assert judge(dataset(example([CAT], [0])), [Detections.empty()]).ap == 0
    assert voc_ap50(dataset(example([CAT], [0])), [Detections.empty()]) == 0
    nothing = dataset(example([], []))
    assert math.isnan(judge(nothing, [found([CAT], [0.5], [0])]).ap)
    assert math.isnan(voc_ap50(nothing, [found([CAT], [0.5], [0])]))
