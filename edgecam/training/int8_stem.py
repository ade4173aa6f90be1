"""The way of a picture into an int8 file: its bytes are the first convolution's quantised input already.

Both rewrites take the pixels as they are (scale 1) around a zero point near their mean; what the mean differs from it
goes into the bias, so that only the zero padding at the picture's border changes, by a few grey levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import onnx
    from numpy.typing import NDArray

WEIGHT_ZERO = 128  # onnxruntime's ConvInteger takes uint8 weights to ARM's dot products, int8 ones not


@dataclass(frozen=True)
class Stem:
    """The first nodes of an exported graph: `Cast, Transpose, Sub, Conv`, and what follows the convolution."""

    cast: onnx.NodeProto
    transpose: onnx.NodeProto
    subtract: onnx.NodeProto
    conv: onnx.NodeProto
    mean: NDArray[np.float32]  # per channel
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def zero(self) -> int:
        """The zero point of the pixels."""
        return round(float(self.mean.mean()))

    def bias_of_pixels(self, weight: NDArray[np.float32]) -> NDArray[np.float32]:
        """The bias for inputs `pixel - zero` instead of `pixel - mean`."""
        return (self.bias + weight.sum(axis=(2, 3)) @ (self.zero - self.mean)).astype(np.float32)


def find_stem(model: onnx.ModelProto) -> Stem:
    """Raises ModelError: the graph does not begin as `edgecam export` writes it."""
    nodes = list(model.graph.node)
    values = {value.name: value for value in model.graph.initializer}
    cast, transpose, subtract = (_only(nodes, kind) for kind in ("Cast", "Transpose", "Sub"))
    conv = next((node for node in nodes if node.op_type == "Conv" and subtract.output[0] in node.input), None)
    if conv is None:
        raise ModelError("the graph does not begin with a convolution of the picture less its mean")
    mean, weight, bias = (numpy_helper.to_array(values[name]) for name in (subtract.input[1], *conv.input[1:3]))
    return Stem(cast, transpose, subtract, conv, mean.reshape(-1), weight, bias)


def _only(nodes: list[onnx.NodeProto], kind: str) -> onnx.NodeProto:
    found = next((node for node in nodes if node.op_type == kind), None)
    if found is None:
        raise ModelError(f"the graph does not begin as edgecam exports it: it has no {kind}")
    return found


def center_on_zero_point(model: onnx.ModelProto) -> tuple[str, int]:
    """Subtract one whole number from all channels; returns the name of the difference, and that number.

    Quantised with scale 1 and this zero point, the difference is the pixel itself: `feed_pixels` then leaves it out.
    """
    stem = find_stem(model)
    _replace(model, stem.subtract.input[1], np.full((1, len(stem.mean), 1, 1), stem.zero, np.float32))
    _replace(model, stem.conv.input[2], stem.bias_of_pixels(stem.weight))
    return stem.subtract.output[0], stem.zero


def feed_pixels(model: onnx.ModelProto, difference: str) -> None:
    """In a quantised graph give the picture itself where `difference` is quantised."""
    nodes = model.graph.node
    quantise = next(node for node in nodes if node.op_type == "QuantizeLinear" and node.input[0] == difference)
    cast, transpose, subtract = (_only(list(nodes), kind) for kind in ("Cast", "Transpose", "Sub"))
    transpose.input[0] = cast.input[0]
    for node in nodes:
        for index, name in enumerate(node.input):
            if name == quantise.output[0]:
                node.input[index] = transpose.output[0]
    for node in (cast, subtract, quantise):
        nodes.remove(node)
    del model.graph.value_info[:]  # the types of what has been float are not true any more
    _drop_unread(model)


def use_integers(model: onnx.ModelProto) -> None:
    """Replace a stem `Conv, LeakyRelu, MaxPool` left in float by an integer convolution with exact sums.

    Only its weights are rounded (8 bits per channel): quantising what it gives before the activation is what costs
    accuracy, since that ranges seven times further below zero than above. The bias (in units of the sums) follows after
    the pool, which commutes with it and with the activation and leaves a quarter of the values; the channels' scales,
    positive as they are, wait until the result is quantised.
    """
    stem = find_stem(model)
    nodes = list(model.graph.node)
    activation, pool = (nodes[nodes.index(stem.conv) + step] for step in (1, 2))
    scale = np.abs(stem.weight).max(axis=(1, 2, 3), keepdims=True).astype(np.float32) / 127
    rounded = np.round(stem.weight / scale)
    name = stem.conv.name
    constants = {
        f"{name}.pixel_zero": np.array(stem.zero, np.uint8),
        f"{name}.weight_zero": np.array(WEIGHT_ZERO, np.uint8),
        f"{name}.weight_int8": (rounded + WEIGHT_ZERO).astype(np.uint8),
        f"{name}.bias": stem.bias_of_pixels(rounded * scale).reshape(1, -1, 1, 1) / scale.reshape(1, -1, 1, 1),
    }
    zero, weight_zero, weight, biases = constants
    planes, sums, real, pooled, biased = (f"{name}.{step}" for step in ("planes", "sums", "float", "pooled", "biased"))
    stem.transpose.input[0], stem.transpose.output[0] = stem.cast.input[0], planes
    convolve = helper.make_node("ConvInteger", [planes, weight, zero, weight_zero], [sums], name=f"{name}.integer")
    convolve.attribute.extend(stem.conv.attribute)
    reduce = helper.make_node("MaxPool", [real], [pooled], name=pool.name)
    reduce.attribute.extend(pool.attribute)
    activate = helper.make_node("LeakyRelu", [biased], [pool.output[0]], name=activation.name)
    activate.attribute.extend(activation.attribute)
    new = [
        stem.transpose,
        convolve,
        helper.make_node("Cast", [sums], [real], name=f"{name}.cast", to=TensorProto.FLOAT),
        reduce,
        helper.make_node("Add", [pooled, biases], [biased], name=f"{name}.add"),
        activate,
    ]
    for reduced in (pool.output[0], *_feed_pools(nodes, pool.output[0])):
        constants |= _quantise_per_channel(model, nodes, reduced, scale.reshape(-1))
    old = [stem.cast, stem.transpose, stem.subtract, stem.conv, activation, pool]
    rest = [node for node in nodes if node not in old]
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend([*new, *rest])
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in constants.items())
    _drop_unread(model)


def pools_of(nodes: Iterable[onnx.NodeProto], name: str) -> list[onnx.NodeProto]:
    """Max-pools of a map: of bytes not yet turned channels-last, onnxruntime pools ten times slower than of floats."""
    return [node for node in nodes if node.op_type == "MaxPool" and node.input[0] == name]


def _feed_pools(nodes: list[onnx.NodeProto], name: str) -> list[str]:
    """Give the pools of `name` that float map itself, where they have its bytes turned back; returns what they give."""
    quantised = {node.output[0] for node in nodes if node.op_type == "QuantizeLinear" and node.input[0] == name}
    read = {n.output[0] for n in nodes if n.op_type == "DequantizeLinear" and n.input[0] in quantised}
    pools = [pool for back in read for pool in pools_of(nodes, back)]
    for pool in pools:
        pool.input[0] = name
    return [pool.output[0] for pool in pools]


def _quantise_per_channel(
    model: onnx.ModelProto, nodes: list[onnx.NodeProto], name: str, scale: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """Let what quantises `name` divide each channel by its own scale too; returns the new constants."""
    values = {value.name: value for value in model.graph.initializer}
    quantise = next(node for node in nodes if node.op_type == "QuantizeLinear" and node.input[0] == name)
    step, zero = (numpy_helper.to_array(values[value]) for value in quantise.input[1:3])
    quantise.input[1:] = [f"{name}.steps", f"{name}.zeros"]
    quantise.attribute.append(helper.make_attribute("axis", 1))
    return {
        f"{name}.steps": (step / scale).astype(np.float32),
        f"{name}.zeros": np.full(len(scale), zero, np.uint8),
    }


def _replace(model: onnx.ModelProto, name: str, value: NDArray[np.float32]) -> None:
    for initializer in model.graph.initializer:
        if initializer.name == name:
            initializer.CopyFrom(numpy_helper.from_array(value, name))


def _drop_unread(model: onnx.ModelProto) -> None:
    """Constants that no node reads any more: onnxruntime would warn of each."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [value for value in model.graph.initializer if value.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
