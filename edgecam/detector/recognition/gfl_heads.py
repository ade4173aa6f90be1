"""Recognising heads of class scores and distance bins per level: NanoDet and PicoDet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.description import Decoder, OutputSpec
from edgecam.detector.recognition.cells import STRIDES, activation_of, cells_of, listed
from edgecam.detector.recognition.match import NANODET, PICODET, Hints, Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

BINS = (8, 17, 16, 9, 33)


def match_gfl_levels(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """Two outputs per level: class scores and distance bins."""
    by_cells: dict[int, list[tuple[Output, int]]] = {}
    for output in outputs:
        shape = output.shape
        if len(shape) == 2:
            by_cells.setdefault(shape[0], []).append((output, shape[1]))
        elif len(shape) == 3:
            by_cells.setdefault(shape[1] * shape[2], []).append((output, shape[0]))
    for strides in STRIDES:
        levels = [by_cells.get(cells_of(hints.input_hw, (stride,)), []) for stride in strides]
        if 2 * len(strides) != len(outputs) or any(len(level) != 2 for level in levels):
            continue
        for bins in BINS:
            sorted_levels = [_scores_and_bins(level, 4 * bins, hints.classes) for level in levels]
            pairs = [pair for pair in sorted_levels if pair is not None]
            if len(pairs) != len(strides) or len({classes for _, _, classes in pairs}) != 1:
                continue
            picodet = len(strides) == 4 or "paddle" in hints.producer.lower()
            scores = np.concatenate([np.asarray(pair[0].array, np.float32).ravel() for pair in pairs])
            spec = OutputSpec(
                Decoder.GFL,
                names=(*(pair[0].name for pair in pairs), *(pair[1].name for pair in pairs)),
                strides=strides,
                bins=bins,
                cell_offset=0.5,
                activation=activation_of(scores),
            )
            return Match(
                "PicoDet" if picodet else "NanoDet",
                spec,
                PICODET if picodet else NANODET,
                pairs[0][2],
                (f"class scores and 4x{bins} distance bins of {len(strides)} levels, strides {listed(strides)}",),
            )
    return None


def _scores_and_bins(
    level: Sequence[tuple[Output, int]], width: int, classes: int | None
) -> tuple[Output, Output, int] | None:
    (first, a), (second, b) = level
    if b == width and (a != width or a == classes or not _looks_like_bins(first)):
        return first, second, a
    if a == width:
        return second, first, b
    return None


def _looks_like_bins(output: Output) -> bool:
    name = output.name.lower()
    return any(part in name for part in ("dis", "reg", "box", "bbox"))
