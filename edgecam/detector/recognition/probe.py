"""One run of a model on a picture of noise, at a size that it takes: what its outputs look like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import InputSpec, Layout
from edgecam.detector.recognition.graph import Graph, Output
from edgecam.detector.recognition.inputs import picture_of
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgecam.detector.recognition.exporters import Exported
    from edgecam.detector.recognition.match import Convention

    Run = Callable[[dict[str, NDArray[Any]]], list[NDArray[Any]]]

INT8_ZERO = 128.0
OPEN_STRIDE = 32  # of an input of which nobody says it
# Where the input's size is open and nobody says which: tried in this order.
SIZES = ((640, 640), (416, 416), (320, 320), (300, 300))


def sizes_to_try(
    spec: InputSpec, exported: Exported, sidecar: Mapping[str, Any], input_hw: tuple[int, int] | None
) -> list[tuple[int, int]]:
    """The sizes to try, the best known first."""
    told = sidecar.get("input", {}).get("sizes")
    first = [input_hw, _pair(told[0]) if isinstance(told, list) and told else None, exported.input_hw]
    sizes = [size for size in (*first, *SIZES) if size is not None]
    return [(spec.height or height, spec.width or width) for height, width in dict.fromkeys(sizes)]


def run_once(
    graph: Graph, run: Run, spec: InputSpec, sizes: Sequence[tuple[int, int]], source: str
) -> tuple[InputSpec, list[Output]]:
    """Runs the model on a noisy picture, at the first size that works."""
    picture = picture_of(graph, source=source)
    failure: ModelError | None = None
    for height, width in dict.fromkeys(sizes):
        sized = replace(spec, sizes=((height, width),))
        feed = {picture.name: _noise(sized), **extra_feed(sized, graph)}
        try:
            arrays = run(feed)
        except ModelError as error:
            failure = failure or error
            continue
        names = [output.name for output in graph.outputs]
        numbers = [(name, array) for name, array in zip(names, arrays, strict=True) if isinstance(array, np.ndarray)]
        return sized, [Output.of(name, array) for name, array in numbers if array.dtype.kind in "fiu"]
    assert failure is not None
    raise type(failure)(f"{source}: {failure}")


def follows(graph: Graph, run: Run, spec: InputSpec, fits: Callable[[Sequence[Output], tuple[int, int]], bool]) -> bool:
    """Open axes are really open: another size works too. Many exports declare them open, and have one size built in.

    Args:
        fits: outputs, and the (height, width) that gave them, are of the kind that was found.
    """
    if spec.height and spec.width:
        return True
    height, width = spec.sizes[0]
    wider = (spec.height or height, spec.width or width + 2 * OPEN_STRIDE)
    if wider == (height, width):
        return True
    try:
        other, outputs = run_once(graph, run, spec, [wider], "")
    except ModelError:
        return False
    return fits(outputs, other.sizes[0])


def fixed(spec: InputSpec) -> InputSpec:
    """The same input, of the one size that it was tried with."""
    height, width = spec.sizes[0]
    return replace(spec, height=height, width=width)


def prepared(spec: InputSpec, convention: Convention, exported: Exported) -> InputSpec:
    """The input with the conventions of a family."""
    mean, std = convention.mean, convention.std
    if spec.dtype == "uint8":
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    elif spec.dtype == "int8":
        mean, std = (INT8_ZERO,) * 3, (1.0, 1.0, 1.0)
    return replace(
        spec,
        color=convention.color,
        mean=mean,
        std=std,
        resize=convention.resize,
        pad_value=convention.pad_value,
        stride=exported.stride or OPEN_STRIDE,
    )


def extra_feed(spec: InputSpec, graph: Graph, input_hw: tuple[int, int] | None = None) -> dict[str, NDArray[Any]]:
    """What the further inputs are fed with for an input of `input_hw` (or the recommended one)."""
    height, width = input_hw or spec.sizes[0]
    values = {"size-wh": (width, height), "size-hw": (height, width), "ones": (1, 1)}
    tensors = {tensor.name: tensor for tensor in graph.inputs}
    feed = {}
    for name, kind in spec.extra.items():
        tensor = tensors[name]
        value = np.array(values[kind], tensor.dtype)
        feed[name] = value[None] if len(tensor.shape) == 2 else value
    return feed


def _noise(spec: InputSpec) -> NDArray[Any]:
    """A picture of noise, of the input's form, the same each time."""
    height, width = spec.sizes[0]
    shape = (3, height, width) if spec.layout is Layout.NCHW else (height, width, 3)
    rng = np.random.default_rng(0)
    if spec.dtype == "uint8":
        picture = rng.integers(0, 256, shape, np.uint8)
    elif spec.dtype == "int8":
        picture = rng.integers(-128, 128, shape, np.int8)
    else:
        picture = rng.random(shape, np.float32).astype(spec.dtype)
    return picture[None] if spec.batched else picture


def _pair(value: object) -> tuple[int, int] | None:
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(side, int) for side in value):
        height, width = value
        return (height, width) if 1 <= height <= 8192 and 1 <= width <= 8192 else None
    return None
