"""Tiny ONNX files with known outputs: whatever picture goes in, the arrays given here come out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgecam.detector.description import (
    METADATA_KEY,
    Decoder,
    InputSpec,
    ModelDescription,
    OutputSpec,
    Thresholds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 8
SURE = 50.0  # a logit whose softmax beside zeros is 1 in float32

_ELEMENT = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}

Shape = tuple["int | str | None", ...]


def write_model(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[Shape, str]],
    outputs: Mapping[str, tuple[Shape | None, str]],
    *,
    weights: Mapping[str, NDArray[Any]] | None = None,
    weights_among_inputs: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Writes a graph to `path` and returns it. Shapes may hold names for open axes; types are NumPy's names."""
    initializers = [numpy_helper.from_array(np.asarray(a, order="C"), name) for name, a in (weights or {}).items()]
    graph_inputs = [
        helper.make_tensor_value_info(name, _ELEMENT[kind], list(shape)) for name, (shape, kind) in inputs.items()
    ]
    if weights_among_inputs:
        graph_inputs += [helper.make_tensor_value_info(w.name, w.data_type, list(w.dims)) for w in initializers]
    graph_outputs = [
        helper.make_tensor_value_info(name, _ELEMENT[kind], list(shape) if shape is not None else None)
        for name, (shape, kind) in outputs.items()
    ]
    graph = helper.make_graph(list(nodes), "tiny", graph_inputs, graph_outputs, initializers)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tiny"
    )
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    path.write_bytes(model.SerializeToString())
    return path


def constant_model(
    path: Path,
    outputs: Mapping[str, NDArray[Any]],
    *,
    input_name: str = "image",
    input_shape: Shape = (1, 3, 64, 64),
    input_dtype: str = "float32",
    extra_inputs: Mapping[str, tuple[Shape, str]] | None = None,
    declared_shapes: Mapping[str, Shape] | None = None,
    description: ModelDescription | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that gives `outputs` (name → array) for any picture.

    Args:
        extra_inputs: name → (shape, dtype) of further inputs, which are not looked at.
        declared_shapes: of outputs whose declared shape shall differ from the array's (open axes by name).
        description: written to the metadata as our own files carry it.
    """
    nodes = [helper.make_node("Identity", [f"{name}.value"], [name]) for name in outputs]
    shapes = {
        name: ((declared_shapes or {}).get(name, array.shape), array.dtype.name) for name, array in outputs.items()
    }
    properties = dict(metadata or {})
    if description is not None:
        properties[METADATA_KEY] = description.to_json()
    return write_model(
        path,
        nodes,
        {input_name: (input_shape, input_dtype), **(extra_inputs or {})},
        shapes,
        weights={f"{name}.value": array for name, array in outputs.items()},
        metadata=properties,
    )


def echo_model(path: Path, *, input_shape: Shape, input_dtype: str, description: ModelDescription) -> Path:
    """A model whose output `echo` is its input: shows what reached it."""
    return write_model(
        path,
        [helper.make_node("Identity", ["image"], ["echo"])],
        {"image": (input_shape, input_dtype)},
        {"echo": (input_shape, input_dtype)},
        metadata={METADATA_KEY: description.to_json()},
    )


def describe(name: str = "tiny", *, labels: Sequence[str] = ("cat", "dog"), **changes: Any) -> ModelDescription:
    """A description of a 64x64 NCHW float32 GFL model of 2 classes, 8 bins, strides 8 and 16.

    `changes` are fields of `InputSpec` and `OutputSpec`, whichever has them.
    """
    inputs: dict[str, Any] = {"height": 64, "width": 64, "sizes": ((64, 64),)}
    outputs: dict[str, Any] = {"decoder": Decoder.GFL, "strides": (8, 16), "bins": 8}
    of_input = {item.name for item in dataclasses.fields(InputSpec)}
    for key, value in changes.items():
        (inputs if key in of_input else outputs)[key] = value
    return ModelDescription(name, InputSpec(**inputs), OutputSpec(**outputs), tuple(labels), Thresholds(0.4, 0.6))


def gfl_cells(
    input_hw: tuple[int, int],
    strides: Sequence[int],
    *,
    classes: int,
    bins: int,
    objects: Sequence[tuple[int, int, int, int, float, Sequence[int]]] = (),
) -> NDArray[np.float32]:
    """(C + 4 * bins, N) with nothing but `objects`: (stride, row, column, class, logit, sides in whole cells)."""
    grids = [(-(-input_hw[0] // stride), -(-input_hw[1] // stride)) for stride in strides]
    starts = np.cumsum([0] + [rows * columns for rows, columns in grids])
    cells = np.zeros((classes + 4 * bins, starts[-1]), np.float32)
    cells[:classes] = -20.0
    for stride, row, column, class_id, logit, sides in objects:
        level = list(strides).index(stride)
        index = int(starts[level]) + row * grids[level][1] + column
        cells[class_id, index] = logit
        for side, distance in enumerate(sides):
            cells[classes + side * bins + distance, index] = SURE
    return cells


def grey(width: int, height: int, value: int = 90) -> NDArray[np.uint8]:
    """A plain picture."""
    return np.full((height, width, 3), value, np.uint8)
