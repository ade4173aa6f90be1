"""Recognising the inputs: which one takes the picture, in which form, and what the others want."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgecam.detector.description import Extra, InputSpec, Layout
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from edgecam.detector.recognition.graph import Graph, Tensor

PICTURE_DTYPES = ("float32", "uint8", "float16", "int8")
EXTRA_DTYPES = ("float32", "float16", "float64", "int32", "int64")
MAX_SIDE = 8192

# Further inputs by what is in their name: exports that scale boxes back to a frame themselves.
_EXTRAS = (
    (re.compile("orig_?target_?size|target_?size|orig_?size", re.IGNORECASE), Extra.SIZE_WH),
    (re.compile("im_?shape|image_?shape|img_?shape", re.IGNORECASE), Extra.SIZE_HW),
    (re.compile("scale_?factor", re.IGNORECASE), Extra.ONES),
)


def picture_of(graph: Graph, *, source: str) -> Tensor:
    """The input that takes the picture.

    Raises:
        ModelError: none does.
    """
    for tensor in graph.inputs:
        if len(tensor.shape) in {3, 4} and tensor.dtype in PICTURE_DTYPES:
            return tensor
    shown = "; ".join(str(tensor) for tensor in graph.inputs) or "none"
    raise ModelError(f"{source}: no input takes a picture of three colours (its inputs: {shown}).")


def read_input(graph: Graph, *, source: str) -> InputSpec:
    """What the graph declares of its inputs; colours and scaling are not among it.

    Raises:
        ModelError: the inputs are of a kind that edgecam cannot feed.
    """
    tensor = picture_of(graph, source=source)
    batched = len(tensor.shape) == 4
    if batched and (tensor.shape[0] or 1) != 1:
        raise ModelError(
            f"{source}: it takes {tensor.shape[0]} pictures at once; a live view has one. Export it for a batch of 1."
        )
    axes = tensor.shape[1:] if batched else tensor.shape
    layout = _layout(axes, str(tensor), source)
    height, width = axes[1:] if layout is Layout.NCHW else axes[:2]
    if any(side is not None and side > MAX_SIDE for side in (height, width)):
        raise ModelError(f"{source}: its input {tensor} is larger than {MAX_SIDE} pixels.")
    extra = {}
    for other in graph.inputs:
        if other is not tensor:
            kind = next((kind for pattern, kind in _EXTRAS if pattern.search(other.name)), None)
            if kind is None or other.dtype not in EXTRA_DTYPES:
                raise ModelError(f"{source}: it wants a further input, {other}, of which edgecam knows nothing.")
            extra[other.name] = kind
    return InputSpec(layout=layout, dtype=tensor.dtype, height=height, width=width, batched=batched, extra=extra)


def _layout(axes: tuple[int | None, ...], shown: str, source: str) -> Layout:
    if axes[0] == 3 or (axes[0] is None and axes[2] != 3):
        return Layout.NCHW
    if axes[2] == 3:
        return Layout.NHWC
    raise ModelError(f"{source}: its input {shown} takes no picture of three colours.")
