"""How far AP scatters, on cases whose scatter is known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgecam.detections import Detections
from edgecam.evaluation import report
from edgecam.evaluation.evaluate import Report
from tests.evaluation.toy_truth import CAT, DOG, dataset, example, found

pytest.importorskip("pycocotools")

from edgecam.evaluation.coco import Accuracy, judge
from edgecam.evaluation.spread import spread_of


def cats(hits: int, photographs: int) -> Accuracy:
    """One cat in each photograph, found exactly in the first `hits`."""
    truth = dataset(*(example([CAT], [0]) for _ in range(photographs)))
    results = [found([CAT], [0.9], [0]) if i < hits else Detections.empty() for i in range(photographs)]
    return judge(truth, results, draws=400)


def told(accuracy: Accuracy, model: str = "a model") -> Report:
    return Report(model, "toy", 100, None, accuracy, accuracy.ap50, ())


def test_the_share_of_what_is_found_scatters_as_a_share_does() -> None:
    ap, ap50 = spread_of(cats(50, 100).draws)
    assert ap == pytest.approx(100 * math.sqrt(0.5 * 0.5 / 100), rel=0.12)
    assert ap50 == pytest.approx(ap)
    assert spread_of(cats(200, 400).draws)[0] == pytest.approx(ap / 2, rel=0.2)


def test_what_is_the_same_everywhere_does_not_scatter() -> None:
    assert spread_of(cats(20, 20).draws) == pytest.approx([0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_every_photograph_once_is_pycocotools_own_figure(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many classes, sizes, scores, difficult objects, and wrong, doubled and missing boxes."""
    random = np.random.default_rng(seed)
    examples, results = [], []
    for _ in range(30):
        count = int(random.integers(0, 5))
        corners = random.uniform(0, 60, (count, 2))
        boxes = np.hstack([corners, corners + random.uniform(4, 40, (count, 2))])
        ids = random.integers(0, 2, count)
        examples.append(example(boxes.tolist(), ids.tolist(), (random.random(count) < 0.2).tolist()))
        copies = random.integers(0, 3, count)
        moved = np.repeat(boxes, copies, axis=0) + random.normal(0, 2, (int(copies.sum()), 4))
        results.append(found(moved.tolist(), random.random(len(moved)).tolist(), np.repeat(ids, copies).tolist()))
    monkeypatch.setattr("edgecam.evaluation.spread.np.random.default_rng", lambda _: EveryOne())
    accuracy = judge(dataset(*examples), results, draws=1)
    assert accuracy.draws[0] == pytest.approx([accuracy.ap, accuracy.ap50], abs=1e-6)


class EveryOne:
    """Draws each photograph once."""

    def integers(self, start: int, end: int, count: int) -> np.ndarray:
        assert (start, end) == (0, count)
        return np.arange(count)


@pytest.mark.parametrize(("hits", "photographs"), [(1, 1), (0, 1)])
def test_one_photograph_tells_nothing_of_others(hits: int, photographs: int) -> None:
    accuracy = cats(hits, photographs)
    assert np.isnan(spread_of(accuracy.draws)).all()
    assert "±" not in report.table(told(accuracy), per_class=False)


def test_draws_without_any_object_do_not_count() -> None:
    truth = dataset(*(example([CAT] if i == 0 else [], [0] if i == 0 else []) for i in range(3)))
    accuracy = judge(truth, [found([CAT], [0.9], [0])] + [Detections.empty()] * 2, draws=50)
    assert 0 < np.isnan(accuracy.draws[:, 0]).sum() < 50
    assert spread_of(accuracy.draws) == pytest.approx([0, 0])


def test_the_table_says_it() -> None:
    assert "AP 50.5 ± 4.9   AP50 50.5 ± 4.9   " in report.table(told(cats(50, 100)), per_class=False)


def test_two_models_are_compared_photograph_by_photograph() -> None:
    """Both scatter by 5, but the better one finds all that the other one does."""
    better, worse = cats(50, 100), cats(48, 100)
    line = report.comparison(told(better, "new"), told(worse, "old"))
    assert line.startswith("new against old on toy: AP +")
    difference, spread = (float(part) for part in line.split("AP ")[1].split("AP50")[0].split("±"))
    assert difference == pytest.approx(better.ap - worse.ap, abs=0.05)
    assert 1 < spread < 2
    assert "AP +0.0 ± 0.0" in report.comparison(told(worse), told(worse))
    assert "AP -" in report.comparison(told(worse), told(better))
    nothing = judge(dataset(example([], [])), [Detections.empty()], draws=10)
    assert report.comparison(told(nothing), told(nothing)).endswith("AP –   AP50 –")


def test_models_of_different_classes_are_not_compared() -> None:
    only_dogs = judge(dataset(example([DOG], [1]), evaluated=(1,)), [found([DOG], [0.9], [1])])
    assert "cannot be compared" in report.comparison(told(cats(5, 10)), told(only_dogs))
