"""ShuffleNetV2 without its shuffles, for export: channels stay where they are made, and weights are reordered instead.

A shuffle decides only which channels the next unit works on and which it hands on. In the order in which a branch
gives them, those are neighbours; so each unit can take slices of earlier branches' outputs and join them, and the
order of what is joined moves into the weights that read it. Nothing is transposed, and what is handed on is copied
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from edgecam.training.backbones import ShuffleNetV2, ShuffleUnit

if TYPE_CHECKING:
    from torch import Tensor

    from edgecam.training.network import Network

Channel = tuple[int, int]  # branch output of the stage, its channel


@dataclass(frozen=True)
class Joined:
    """What one reader takes: slices (branch output, first, last + 1), and for each joined channel its old position."""

    slices: tuple[tuple[int, int, int], ...]
    order: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """Branch outputs are numbered: 0 and 1 are those of the first unit, unit n's is n + 1.

    Attributes:
        worked: what each unit but the first works on.
        result: what the stage gives.
    """

    worked: tuple[Joined, ...]
    result: Joined

    def cuts(self, output: int) -> list[int]:
        """Sizes of the slices that a branch output is cut into, in order; each channel has one reader."""
        edges = sorted(
            {edge for joined in self.readers() for o, *ends in joined.slices if o == output for edge in ends}
        )
        return [b - a for a, b in pairwise(edges)]

    def readers(self) -> tuple[Joined, ...]:
        return (*self.worked, self.result)


def follow(half: int, units: int) -> Stage:
    """Follow the channels through the shuffles of a stage whose branches give `half` channels each."""
    state = _shuffled([(0, c) for c in range(half)], [(1, c) for c in range(half)])
    worked = []
    for unit in range(1, units):
        kept, taken = state[:half], state[half:]
        worked.append(_join(taken))
        state = _shuffled(kept, [(unit + 1, c) for c in range(half)])
    return Stage(tuple(worked), _join(state))


def _shuffled(kept: list[Channel], made: list[Channel]) -> list[Channel]:
    return [channel for pair in zip(kept, made, strict=True) for channel in pair]


def _join(channels: list[Channel]) -> Joined:
    order = sorted(range(len(channels)), key=lambda position: channels[position])
    slices: list[tuple[int, int, int]] = []
    for output, channel in (channels[position] for position in order):
        if slices and slices[-1][0] == output and slices[-1][2] == channel:
            slices[-1] = (output, slices[-1][1], channel + 1)
        else:
            slices.append((output, channel, channel + 1))
    return Joined(tuple(slices), tuple(order))


@torch.no_grad()
def reorder(network: Network) -> list[Stage]:
    """Reorder the weights of a network with ShuffleNetV2, in place, to read joined slices; returns the stages' plans.

    Its own forward pass is of no use afterwards: `onnx_graph` writes the joins instead of the shuffles.
    """
    backbone = network.backbone
    assert isinstance(backbone, ShuffleNetV2)
    stages, before = [], None
    for index, units in enumerate((backbone.stage2, backbone.stage3, backbone.stage4)):
        first = units[0]
        assert isinstance(first, ShuffleUnit)
        plan = follow(first.branch2.pointwise2.out_channels, len(units))
        if before is not None:
            _reorder_first(first, before)
        for unit, joined in zip(list(units)[1:], plan.worked, strict=True):
            _read(unit.branch2.pointwise1.weight, joined.order)
        _reorder_readers(network, index, plan.result.order)
        before = plan.result.order
        stages.append(plan)
    if backbone.conv5 is not None:
        _read(backbone.conv5.weight, stages[-1].result.order)
    return stages


def _reorder_first(unit: ShuffleUnit, order: tuple[int, ...]) -> None:
    assert unit.branch1 is not None
    depthwise = unit.branch1.depthwise
    depthwise.weight.copy_(depthwise.weight[list(order)])
    depthwise.bias.copy_(depthwise.bias[list(order)])
    _read(unit.branch1.pointwise.weight, order)
    _read(unit.branch2.pointwise1.weight, order)


def _reorder_readers(network: Network, index: int, order: tuple[int, ...]) -> None:
    """What reads a stage's map outside the backbone; behind `conv5` the last stage has no such readers."""
    backbone = network.backbone
    assert isinstance(backbone, ShuffleNetV2)
    if index == len(network.neck.reduce) - 1 and backbone.conv5 is not None:
        return
    _read(network.neck.reduce[index].weight, order)
    if network.rfcr is not None:
        shortcut = 1 if network.rfcr.config.shortcut else 0
        _read(network.rfcr.collect[index + shortcut].weight, order)


def _read(weight: Tensor, order: tuple[int, ...]) -> None:
    """The first input channels of a 1x1 in the order in which they now come."""
    weight[:, : len(order)] = weight[:, list(order)]
