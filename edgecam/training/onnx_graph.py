"""From a folded network to an ONNX graph, node by node: no exporter's leftovers, height and width stay open."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgecam.training.backbones import InvertedResidual, MobileNetV2, ShuffleBranch, ShuffleNetV2, ShuffleUnit
from edgecam.training.necks import Ghost, GhostHalf
from edgecam.training.unshuffle import Stage, reorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from edgecam.training.layers import Conv, Separable
    from edgecam.training.network import Head, Network
    from edgecam.training.rfcr import RFCR

OPSET = 17
IR_VERSION = 8  # what onnxruntime 1.20 reads


@dataclass(frozen=True)
class Halves:
    """A map beside the nearest enlargement of another one: not joined until it is known what reads it."""

    near: str
    coarse: str


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


def build(network: Network) -> onnx.ModelProto:
    """`image` uint8 (1, H, W, 3) BGR to `cells` float32 (1, C + 4 * bins, N); H and W are multiples of 32.

    Boxes are decoded outside: only the few cells above the score threshold need it, and a graph that ends in
    convolutions can be quantised whole.
    """
    network = copy.deepcopy(network)
    graph, config = Graph(), network.config
    x = graph.add("Cast", ["image"], to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], perm=[0, 3, 1, 2])
    mean = graph.constant(np.array(config.mean, np.float32).reshape(1, 3, 1, 1), "mean")
    maps = _backbone(graph, network, graph.add("Sub", [x, mean]))
    taps: list[str | Halves] = [*maps[1:]] if network.rfcr is None else _rfcr(graph, network.rfcr, maps)
    maps = _neck(graph, network, taps)
    rows = 4 * config.bins + len(config.labels)
    flat = graph.constant(np.array([1, rows, -1], np.int64), "flat")
    outputs = []
    for (stride, head), y in zip(network.head.items(), maps, strict=True):
        outputs.append(graph.add("Reshape", [_head(graph, head, y, f"head.{stride}"), flat]))
    graph.nodes.append(helper.make_node("Concat", outputs, ["cells"], name="cells", axis=2))
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "height", "width", 3])
    cells = helper.make_tensor_value_info("cells", TensorProto.FLOAT, [1, rows, "count"])
    body = helper.make_graph(graph.nodes, f"edgecam {config.name}", [image], [cells], graph.initializers)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="edgecam")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model


def _backbone(graph: Graph, network: Network, x: str) -> list[str]:
    if isinstance(network.backbone, MobileNetV2):
        return _mobilenet(graph, network.backbone, x)
    return _shufflenet(graph, network.backbone, x, reorder(network))


def _mobilenet(graph: Graph, backbone: MobileNetV2, x: str) -> list[str]:
    maps = []
    for index, feature in enumerate(backbone.features):
        name = f"features.{index}"
        if isinstance(feature, InvertedResidual):
            y = x if feature.expand is None else graph.conv(x, feature.expand, f"{name}.expand")
            y = graph.conv(graph.conv(y, feature.depthwise, f"{name}.depthwise"), feature.project, f"{name}.project")
            x = graph.add("Add", [y, x]) if feature.residual else y
        else:
            x = graph.conv(x, feature, name)
        if index in backbone.taps:
            maps.append(x)
    return maps


def _shufflenet(graph: Graph, backbone: ShuffleNetV2, x: str, stages: Sequence[Stage]) -> list[str]:
    x = graph.conv(x, backbone.conv1, "conv1")
    x = graph.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    maps = [x]
    for number, plan in zip((2, 3, 4), stages, strict=True):
        x = _stage(graph, getattr(backbone, f"stage{number}"), x, plan, f"stage{number}")
        maps.append(x)
    if backbone.conv5 is not None:
        maps[-1] = graph.conv(x, backbone.conv5, "conv5")
    return maps


def _stage(graph: Graph, units: Sequence[ShuffleUnit], x: str, plan: Stage, name: str) -> str:
    """The units of a stage, each on slices of what the ones before have made."""
    slices: dict[tuple[int, int, int], str] = {}

    def made(output: int, y: str) -> None:
        slices.update(_cut(graph, y, output, plan.cuts(output), f"{name}.{output}"))

    first = units[0].branch1
    assert first is not None
    kept = graph.conv(x, first.depthwise, f"{name}.0.branch1.depthwise")
    made(0, graph.conv(kept, first.pointwise, f"{name}.0.branch1.pointwise"))
    made(1, _branch(graph, units[0].branch2, x, f"{name}.0.branch2"))
    for index, joined in enumerate(plan.worked, start=1):
        taken = graph.concat([slices[part] for part in joined.slices])
        made(index + 1, _branch(graph, units[index].branch2, taken, f"{name}.{index}.branch2"))
    return graph.concat([slices[part] for part in plan.result.slices])


def _branch(graph: Graph, branch: ShuffleBranch, x: str, name: str) -> str:
    for part in ("pointwise1", "depthwise", "pointwise2"):
        x = graph.conv(x, getattr(branch, part), f"{name}.{part}")
    return x


def _cut(graph: Graph, x: str, output: int, sizes: list[int], name: str) -> dict[tuple[int, int, int], str]:
    """Cut a branch output's channels into slices of these sizes, keyed as the plan names them."""
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    keys = [(output, start, start + size) for start, size in zip(starts, sizes, strict=True)]
    if len(sizes) == 1:
        return {keys[0]: x}
    names = [f"{name}.from_{start}" for start in starts]
    cuts = graph.constant(np.array(sizes, np.int64), "cuts_" + "_".join(map(str, sizes)))
    graph.nodes.append(helper.make_node("Split", [x, cuts], names, name=f"{name}.split", axis=1))
    return dict(zip(keys, names, strict=True))


def _rfcr(graph: Graph, rfcr: RFCR, maps: list[str]) -> list[str | Halves]:
    assert rfcr.scales is None, "fold the network before it is exported"
    config = rfcr.config
    total = ""
    exponents = (2, 1, 0, -1) if config.shortcut else (1, 0, -1)
    for index, exponent in enumerate(exponents):
        conv = rfcr.collect[index]
        x = maps[index] if config.shortcut else maps[index + 1]
        first = config.resample_first or exponent == 2
        if not first:
            x = graph.conv(x, conv, f"rfcr.collect.{index}")
        if exponent > 0:
            x = graph.reduce(x, config.pool, 2**exponent)
        elif exponent < 0:
            x = graph.enlarge(x, config.upsample)
        if first:
            x = graph.conv(x, conv, f"rfcr.collect.{index}")
        total = graph.add("Add", [x, total]) if total else x
    fused = graph.conv(graph.conv(total, rfcr.depthwise, "rfcr.depthwise"), rfcr.pointwise, "rfcr.pointwise")
    s8: str | Halves = Halves(maps[1], fused)
    if config.upsample != "nearest":
        s8 = graph.concat([maps[1], graph.enlarge(fused, config.upsample)])
    return [
        s8,
        graph.concat([maps[2], fused]),
        graph.concat([maps[3], graph.reduce(fused, config.pool)]),
    ]


def _lateral(graph: Graph, network: Network, index: int, x: str | Halves) -> str:
    conv, name = network.neck.reduce[index], f"neck.reduce.{index}"
    if isinstance(x, str):
        return graph.conv(x, conv, name)
    last = slice(conv.in_channels - network.config.redistribute, conv.in_channels)
    return graph.conv_of_enlarged(x.near, x.coarse, conv, name, coarse_channels=last)


def _neck(graph: Graph, network: Network, maps: list[str | Halves]) -> list[str]:
    neck = network.neck
    p8, p16, p32 = (_lateral(graph, network, i, x) for i, x in enumerate(maps))
    outputs = [p8, p16, p32]
    if neck.top_down:
        t16 = _top_down(graph, network, 0, p32, p16)
        outputs = [_top_down(graph, network, 1, t16, p8), t16, p32]
    if neck.bottom_up:
        down = graph.separable(outputs[0], neck.down[0], "neck.down.0")
        o16 = _join(graph, neck.bottom_up[0], down, outputs[1], "neck.bottom_up.0")
        down = graph.separable(o16, neck.down[1], "neck.down.1")
        outputs = [outputs[0], o16, _join(graph, neck.bottom_up[1], down, p32, "neck.bottom_up.1")]
    if neck.extra_in is not None:
        o64 = graph.separable(p32, neck.extra_in, "neck.extra_in")
        if neck.extra_out is not None:
            o64 = graph.add("Add", [o64, graph.separable(outputs[2], neck.extra_out, "neck.extra_out")])
        outputs.append(o64)
    return outputs


def _top_down(graph: Graph, network: Network, index: int, coarse: str, near: str) -> str:
    node, mode, name = network.neck.top_down[index], network.config.neck_upsample, f"neck.top_down.{index}"
    enlarged = graph.enlarge(coarse, mode)
    if not isinstance(node, Ghost) or mode != "nearest":
        return _join(graph, node, enlarged, near, name)
    first = slice(0, network.config.neck_channels)
    primary = graph.conv_of_enlarged(near, coarse, node.ghost1.primary, f"{name}.ghost1.primary", coarse_channels=first)
    y = _ghost_cheap(graph, node.ghost1, primary, f"{name}.ghost1")
    y = _ghost_half(graph, node.ghost2, y, f"{name}.ghost2")
    return graph.add("Add", [graph.separable(graph.concat([enlarged, near]), node.shortcut, f"{name}.shortcut"), y])


def _join(graph: Graph, node: Any, a: str, b: str, name: str) -> str:
    if isinstance(node, Ghost):
        x = graph.concat([a, b])
        y = _ghost_half(graph, node.ghost1, x, f"{name}.ghost1")
        y = _ghost_half(graph, node.ghost2, y, f"{name}.ghost2")
        return graph.add("Add", [graph.separable(x, node.shortcut, f"{name}.shortcut"), y])
    return graph.separable(graph.add("Add", [a, b]), node, name)


def _ghost_half(graph: Graph, half: GhostHalf, x: str, name: str) -> str:
    return _ghost_cheap(graph, half, graph.conv(x, half.primary, f"{name}.primary"), name)


def _ghost_cheap(graph: Graph, half: GhostHalf, x: str, name: str) -> str:
    return graph.concat([x, graph.conv(x, half.cheap, f"{name}.cheap")])


def _head(graph: Graph, head: Head, x: str, name: str) -> str:
    for block in head.blocks:
        x = graph.separable(x, getattr(head, block), f"{name}.{block}")
    return graph.conv(x, head.predict, f"{name}.predict")
