"""How far AP would scatter on other photographs of the same kind: the bootstrap (Efron, 1979) over the photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

DRAWS: Final = 100
RECALLS: Final = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class _ClassMatches:
    """What became of the detections of one class, the surest first.

    Attributes:
        photograph: int64 (D,), index of the detection's photograph.
        hit, miss: bool (T, D), at each of T overlaps; neither where a detection does not count.
        objects: int64 (N,), how many each photograph has.
    """

    photograph: NDArray[np.int64]
    hit: NDArray[np.bool_]
    miss: NDArray[np.bool_]
    objects: NDArray[np.int64]

    def precision(self, times: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """AP per overlap, (T,) in 0..1, with photograph i counted `times[i]` times; None without any object."""
        total = int((self.objects * times).sum())
        if not total:
            return None
        weight = times[self.photograph]
        hits, misses = np.cumsum(self.hit * weight, axis=1), np.cumsum(self.miss * weight, axis=1)
        precision = hits / np.maximum(hits + misses, 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        best = np.pad(best, ((0, 0), (0, 1)))  # recalls that are never reached have no precision
        places = [np.searchsorted(row, RECALLS * total - 1e-9) for row in hits]
        return np.array([row[place].mean() for row, place in zip(best, places, strict=True)])


def draws_of(evaluation: Any, count: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """AP and AP50 in per cent, float64 (count, 2), each on as many photographs, drawn with replacement.

    With one seed the same photographs are drawn for every model: differences can be taken draw by draw. NaN where no
    drawn photograph has an object, and where there is only one photograph: that tells nothing of others.

    Args:
        evaluation: a pycocotools COCOeval after `evaluate()`.
    """
    photographs = len(evaluation.params.imgIds)
    draws = np.full((count, 2), np.nan)
    if not count or photographs < 2:
        return draws
    classes, random = list(_matches(evaluation)), np.random.default_rng(seed)
    for draw in draws:
        times = np.bincount(random.integers(0, photographs, photographs), minlength=photographs)
        found = [precision for one in classes if (precision := one.precision(times)) is not None]
        if found:
            draw[:] = 100 * np.mean(found), 100 * np.mean([precision[0] for precision in found])
    return draws


def spread_of(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of AP and AP50 (2,); NaN where fewer than two draws are known."""
    known = draws[~np.isnan(draws[:, 0])]
    return known.std(axis=0, ddof=1) if len(known) > 1 else np.full(2, np.nan)


def _matches(evaluation: Any) -> Iterator[_ClassMatches]:
    photographs, areas = len(evaluation.params.imgIds), len(evaluation.params.areaRng)
    for k in range(len(evaluation.params.catIds)):
        start = k * areas * photographs  # "all" is the first of the areas
        yield _joined(evaluation.evalImgs[start : start + photographs], len(evaluation.params.iouThrs))


def _joined(results: Sequence[dict[str, Any] | None], overlaps: int) -> _ClassMatches:
    """One class in all photographs; None where a photograph has neither an object nor a detection of it."""
    there = [(index, result) for index, result in enumerate(results) if result is not None]
    objects = np.zeros(len(results), np.int64)
    for index, result in there:
        objects[index] = np.count_nonzero(np.asarray(result["gtIgnore"]) == 0)
    none: NDArray[Any] = np.zeros((overlaps, 0))
    scores = np.concatenate([np.asarray(result["dtScores"], np.float64) for _, result in there] or [none[0]])
    order = np.argsort(-scores, kind="mergesort")
    matched = np.concatenate([result["dtMatches"] for _, result in there] or [none], axis=1)[:, order] > 0
    counts = np.concatenate([result["dtIgnore"] for _, result in there] or [none], axis=1)[:, order] == 0
    photograph = np.concatenate([np.full(len(result["dtScores"]), index) for index, result in there] or [none[0]])
    return _ClassMatches(photograph.astype(np.int64)[order], matched & counts, ~matched & counts, objects)
