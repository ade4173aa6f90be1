"""Decoding of generalised-focal-loss heads (NanoDet, NanoDet-Plus, PicoDet and our own networks).

Each cell gives class scores and, for each of the four sides, `bins` logits of a distribution over distances
(Li et al., "Generalized Focal Loss", NeurIPS 2020, section 3.2): a side's distance is the mean of its distribution.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import Request, pick, sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgecam.detections import Detections


@lru_cache(maxsize=16)
def cell_points(
    input_hw: tuple[int, int], strides: tuple[int, ...], cell_offset: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Anchor points (N, 2) as x, y in input pixels, and strides (N,), of all cells, level after level, row-major."""
    points, sizes = [], []
    for stride in strides:
        rows, columns = -(-input_hw[0] // stride), -(-input_hw[1] // stride)
        y, x = np.mgrid[:rows, :columns]
        points.append((np.stack([x.ravel(), y.ravel()], axis=1) + cell_offset) * stride)
        sizes.append(np.full(rows * columns, stride))
    return np.concatenate(points).astype(np.float32), np.concatenate(sizes).astype(np.float32)


@lru_cache(maxsize=16)
def _sides(
    input_hw: tuple[int, int], strides: tuple[int, ...], cell_offset: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 4) and (N, 4): where each side of a cell's box starts, and how far one unit of distance moves it."""
    points, sizes = cell_points(input_hw, strides, cell_offset)
    return np.tile(points, 2), sizes[:, None] * np.array([-1, -1, 1, 1], np.float32)


def decode_gfl(
    cells: NDArray[np.float32],
    *,
    input_hw: tuple[int, int],
    strides: tuple[int, ...],
    bins: int,
    cell_offset: float,
    logits: bool,
    score_floor: float,
    max_candidates: int = 1000,
    multi_label: bool = False,
) -> Detections:
    """Candidates in input pixels, before suppression.

    Args:
        cells: float32 (C + 4 * bins, N): class scores, then left, top, right, bottom bins, of all N cells.
        logits: scores are logits (a sigmoid is still to be taken).
        score_floor: candidates below it are left out, 0 to 1.
        max_candidates: at most so many, those of highest score.
        multi_label: each class of a cell above the floor is a candidate (as COCO's AP wants it), instead of the
            cell's best class alone (as a viewer wants it).

    Raises:
        ValueError: N is not the number of cells of this input.
    """
    starts, sides = _sides(input_hw, strides, cell_offset)
    if cells.shape[1] != len(starts):
        raise ValueError(f"{cells.shape[1]} cells, expected {len(starts)} for an input of {input_hw[1]}x{input_hw[0]}")
    request = Request(input_hw, score_floor, multi_label, max_candidates)
    class_ids, index, best = pick(cells[: len(cells) - 4 * bins], request, logits=logits)
    weights = cells[-4 * bins :, index].reshape(4, bins, -1)
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    steps = np.arange(bins, dtype=np.float32)
    distances = steps @ weights / weights.sum(axis=1)  # (4, M), in strides
    found = starts[index] + sides[index] * distances.T
    return sound(found, best, class_ids)
