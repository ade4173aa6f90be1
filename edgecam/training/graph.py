"""Collects the nodes and constants of an ONNX graph; what each layer becomes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from edgecam.training.layers import Conv, Separable


class Graph:
    """Collects nodes; methods take and return names of tensors."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._constants: dict[str, str] = {}

    def add(self, kind: str, inputs: Sequence[str], hint: str = "", **attributes: Any) -> str:
        name = f"{hint or kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: np.ndarray, name: str) -> str:
        if name not in self._constants:
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
            self._constants[name] = name
        return name

    def weight(self, tensor: Tensor, name: str) -> str:
        return self.constant(tensor.detach().cpu().float().contiguous().numpy(), name)

    def conv(self, x: str, conv: Conv, name: str) -> str:
        """A folded convolution with its activation."""
        assert conv.norm is None, "fold the network before it is exported"
        inputs = [x, self.weight(conv.weight, f"{name}.weight")]
        if conv.bias is not None:
            inputs.append(self.weight(conv.bias, f"{name}.bias"))
        pad = int(conv.padding[0])
        pads = [0, 0, 1, 1] if conv.same else [pad] * 4
        y = self.add(
            "Conv",
            inputs,
            name,
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=pads,
            group=conv.groups,
        )
        return self.activated(y, conv, name)

    def activated(self, y: str, conv: Conv, name: str) -> str:
        if conv.leak:
            return self.add("LeakyRelu", [y], f"{name}.act", alpha=conv.leak)
        if conv.act == "relu":
            return self.add("Relu", [y], f"{name}.act")
        if conv.act == "relu6":
            low, high = (self.constant(np.array(v, np.float32), f"clip_{v}") for v in (0, 6))
            return self.add("Clip", [y, low, high], f"{name}.act")
        return y

    def conv_of_enlarged(self, near: str, coarse: str, conv: Conv, name: str, *, coarse_channels: slice) -> str:
        """A 1x1 of a concat of `near` and the nearest enlargement of `coarse` (its `coarse_channels`).

        A 1x1 commutes with nearest enlargement: taken before it, that share costs a quarter.
        """
        assert conv.bias is not None
        rough = conv.weight[:, coarse_channels]
        kept = np.ones(conv.in_channels, np.bool_)
        kept[coarse_channels] = False
        bias = self.weight(conv.bias, f"{name}.bias")
        weights = [self.weight(part, f"{name}.{n}") for part, n in ((conv.weight[:, kept], "near"), (rough, "coarse"))]
        x = self.add("Conv", [near, weights[0], bias], f"{name}.near", kernel_shape=[1, 1])
        y = self.add("Conv", [coarse, weights[1]], f"{name}.coarse", kernel_shape=[1, 1])
        return self.activated(self.add("Add", [x, self.enlarge(y, "nearest")]), conv, name)

    def separable(self, x: str, block: Separable, name: str) -> str:
        return self.conv(self.conv(x, block.depthwise, f"{name}.depthwise"), block.pointwise, f"{name}.pointwise")

    def concat(self, inputs: Sequence[str], axis: int = 1) -> str:
        return self.add("Concat", inputs, axis=axis)

    def enlarge(self, x: str, mode: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32), "twice")
        if mode == "nearest":  # asymmetric: the form that onnxruntime's fast paths take
            how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        else:
            how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.add("Resize", [x, "", scales], **how)

    def reduce(self, x: str, mode: str, factor: int = 2) -> str:
        size = factor if mode == "max" else 1
        return self.add("MaxPool", [x], kernel_shape=[size, size], strides=[factor, factor])
