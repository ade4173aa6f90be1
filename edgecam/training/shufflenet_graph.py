"""ShuffleNetV2 as nodes of an ONNX graph, by the plans of `unshuffle`: joined slices instead of shuffles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.backbones import ShuffleBranch, ShuffleNetV2, ShuffleUnit
    from edgecam.training.graph import Graph
    from edgecam.training.unshuffle import Stage


def shufflenet(graph: Graph, backbone: ShuffleNetV2, x: str, stages: Sequence[Stage]) -> list[str]:
    """Add the backbone behind `x`; returns its maps at strides 4, 8, 16 and 32, channels in the plans' order."""
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
