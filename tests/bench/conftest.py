"""A tiny model with edgecam's own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgecam.detector.description import METADATA_KEY, InputSpec, Layout, ModelDescription, OutputSpec

if TYPE_CHECKING:
    from pathlib import Path

CLASSES, BINS, STRIDE = 2, 8, 32


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """One convolution: each cell's scores and sides are means of its 32 x 32 pixels."""
    channels = CLASSES + 4 * BINS
    weight = np.full((channels, 3, STRIDE, STRIDE), 1e-5, np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "weight"], ["maps"], strides=[STRIDE, STRIDE]),
        helper.make_node("Reshape", ["maps", "shape"], ["cells"]),
    ]
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "h", "w", 3])],
        [helper.make_tensor_value_info("cells", TensorProto.FLOAT, [1, channels, "n"])],
        [numpy_helper.from_array(weight, "weight"),
         numpy_helper.from_array(np.array([1, channels, -1], np.int64), "shape")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    description = ModelDescription(
        name="tiny",
        input=InputSpec(layout=Layout.NHWC, color="BGR", dtype="uint8", stride=STRIDE, sizes=((64, 64),)),
        output=OutputSpec(strides=(STRIDE,), bins=BINS),
        labels=("bright", "dark"),
    )
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, description.to_json()
    path = tmp_path / "tiny.onnx"
    onnx.save(model, str(path))
    return path
