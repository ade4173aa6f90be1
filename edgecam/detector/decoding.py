"""The table of decoders: from what a description says to the function that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgecam.detector.decoders.anchors import decode_anchors, decode_yolo_fastest
from edgecam.detector.decoders.dense import decode_dense, decode_grid
from edgecam.detector.decoders.fastestdet import decode_fastestdet
from edgecam.detector.decoders.finished import decode_boxes_scores, decode_lists, decode_rows
from edgecam.detector.decoders.levels import decode_gfl_levels
from edgecam.detector.decoders.offsets import decode_offsets
from edgecam.detector.description import Decoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.decoders.candidates import Array, Request
    from edgecam.detector.description import OutputSpec


class DecodeFunction(Protocol):
    """Gives candidates in input pixels, before suppression; raises ValueError or IndexError on a wrong shape."""

    def __call__(self, outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections: ...


DECODERS: dict[Decoder, DecodeFunction] = {
    Decoder.GFL: decode_gfl_levels,
    Decoder.DENSE: decode_dense,
    Decoder.GRID: decode_grid,
    Decoder.ANCHORS: decode_anchors,
    Decoder.ROWS: decode_rows,
    Decoder.LISTS: decode_lists,
    Decoder.BOXES_SCORES: decode_boxes_scores,
    Decoder.OFFSETS: decode_offsets,
    Decoder.FASTESTDET: decode_fastestdet,
    Decoder.YOLO_FASTEST: decode_yolo_fastest,
}


def decode(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """The candidates in `outputs`, in input pixels, before suppression; what is not a finite number is left out.

    Raises:
        ValueError, IndexError: the outputs do not have the shape that `spec` says.
    """
    with np.errstate(all="ignore"):  # what overflows or is NaN is dropped, not reported
        return DECODERS[spec.decoder](outputs, spec, request)
