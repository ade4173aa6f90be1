"""From a folded network to an ONNX graph, node by node: no exporter's leftovers, height and width stay open."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgecam.training.backbones import InvertedResidual, MobileNetV2
from edgecam.training.graph import Graph
from edgecam.training.necks import Ghost, GhostHalf
from edgecam.training.shufflenet_graph import shufflenet
from edgecam.training.unshuffle import reorder

if TYPE_CHECKING:
    from edgecam.training.network import Head, Network
    from edgecam.training.rfcr import RFCR

OPSET = 17
IR_VERSION = 8  # what onnxruntime 1.20 reads


@dataclass(frozen=True)
class Halves:
    """A map beside the nearest enlargement of another one: not joined until it is known what reads it."""

    near: str
    coarse: str


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
    return shufflenet(graph, network.backbone, x, reorder(network))


def _mobilenet(graph: Graph, backbone: MobileNetV2, x: str) -> list[str]:
    maps = []
    for index, feature in enumerate(backbone.features):
        name = f"features.{index}"
        if isinstance(feature, InvertedResidual):
            x = _inverted_residual(graph, feature, x, name)
        else:
            x = graph.conv(x, feature, name)
        if index in backbone.taps:
            maps.append(x)
    return maps


def _inverted_residual(graph: Graph, block: InvertedResidual, x: str, name: str) -> str:
    y = x if block.expand is None else graph.conv(x, block.expand, f"{name}.expand")
    y = graph.conv(graph.conv(y, block.depthwise, f"{name}.depthwise"), block.project, f"{name}.project")
    return graph.add("Add", [y, x]) if block.residual else y


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
        y = graph.conv(x, conv, name)
    else:
        last = slice(conv.in_channels - network.config.redistribute, conv.in_channels)
        y = graph.conv_of_enlarged(x.near, x.coarse, conv, name, coarse_channels=last)
    if network.neck.deepen:
        for number, block in enumerate(network.neck.deepen[index]):
            y = _inverted_residual(graph, block, y, f"neck.deepen.{index}.{number}")
    return y


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
