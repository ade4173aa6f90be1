"""Sessions compute what a model says, on every processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgecam.detector.session import create_session, run_session

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = 64
STEP = np.float32(1.1)


def int8_convolution() -> onnx.ModelProto:
    """Bytes by a 1x1 of int8 weights 127, rounded to bytes again: sums far beyond 16 bits."""
    rounding = {"one": np.float32(1), "step": STEP * 127 * CHANNELS, "zero": np.uint8(0), "zero_int8": np.int8(0)}
    weight = np.full((1, CHANNELS, 1, 1), 127, np.int8)
    constants = {name: np.asarray(value) for name, value in rounding.items()} | {"weight": weight}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["bytes"]),
        helper.make_node("DequantizeLinear", ["bytes", "one", "zero"], ["numbers"]),
        helper.make_node("DequantizeLinear", ["weight", "one", "zero_int8"], ["weights"]),
        helper.make_node("Conv", ["numbers", "weights"], ["sums"], kernel_shape=[1, 1]),
        helper.make_node("QuantizeLinear", ["sums", "step", "zero"], ["rounded"]),
        helper.make_node("DequantizeLinear", ["rounded", "step", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "int8",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_int8_sums_do_not_overflow(tmp_path: Path) -> None:
    """x86 processors without VNNI would add these products in 16 bits."""
    onnx.save(int8_convolution(), tmp_path / "int8.onnx")
    session = create_session(tmp_path / "int8.onnx", threads=1)
    x = np.full((1, CHANNELS, 4, 4), 255, np.float32)
    x[0, :, 0, 0] = 100
    (y,) = run_session(session, ["y"], {"x": x})
    true_sums = x.sum(axis=1, keepdims=True) * 127
    np.testing.assert_allclose(y, np.minimum(true_sums, 255 * STEP * 127 * CHANNELS), rtol=0.02)
