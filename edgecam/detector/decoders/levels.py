"""GFL heads as different exporters write them: one array of all cells, or class scores and distances per level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import Array, Request, matrix
from edgecam.detector.description import Activation
from edgecam.detector.gfl import decode_gfl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec


def decode_gfl_levels(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: one array (1, C + 4 * bins, N), (1, N, C + 4 * bins) with `spec.rows`; or 2 L arrays, first the
    class scores of L levels, then their distance bins, each (1, n, values) or (1, values, H, W).
    """
    if len(outputs) == 1:
        cells = matrix(outputs[0])
        cells = cells.T if spec.rows else cells
    else:
        levels = len(spec.strides)
        if len(outputs) != 2 * levels:
            raise ValueError(f"{len(outputs)} outputs, expected {2 * levels} for {levels} levels")
        scores = np.concatenate([_rows(output) for output in outputs[:levels]])
        bins = np.concatenate([_rows(output) for output in outputs[levels:]])
        cells = np.concatenate([scores, bins], axis=1).T
    if len(cells) <= 4 * spec.bins:
        raise ValueError(f"{len(cells)} values per cell, expected {4 * spec.bins} bins and at least one class")
    return decode_gfl(
        cells,
        input_hw=request.input_hw,
        strides=spec.strides,
        bins=spec.bins,
        cell_offset=spec.cell_offset,
        logits=spec.activation is Activation.SIGMOID,
        score_floor=request.score_floor,
        max_candidates=request.max_candidates,
        multi_label=request.multi_label,
    )


def _rows(output: Array) -> Array:
    """(n, values) of one level."""
    if output.ndim == 4 and output.shape[0] == 1:
        return matrix(output.reshape(output.shape[1], -1)).T
    return matrix(output)
