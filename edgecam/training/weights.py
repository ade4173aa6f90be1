"""Starting weights from published models, in their authors' layout, put into our networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, MobileNetV2
from edgecam.training.checkpoint import is_folded
from edgecam.training.config import ModelConfig
from edgecam.training.fitting import fit_lighter
from edgecam.training.layers import Conv
from edgecam.training.network import Network, part_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.training.necks import Neck

NANODET_MEAN = (103.53, 116.28, 123.675)  # BGR
NANODET_STD = (57.375, 57.12, 58.395)
MOBILENET_EPSILON = 1e-3
MOBILENET_BLOCKS = 19

Arrays = Mapping[str, NDArray[np.float32]]


def load_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Raises DataError: the file is missing or is not an npz of arrays."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name].astype(np.float32) for name in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as an .npz of weights ({error})") from error


@torch.no_grad()
def put_mobilenet(backbone: MobileNetV2, arrays: Arrays, path: Path) -> None:
    """Fold the batch-norm of torchvision-named arrays into `backbone`, whose input is BGR - 127.5."""
    for index, feature in enumerate(backbone.features):
        prefix = f"features.{index}"
        if isinstance(feature, InvertedResidual):
            names = [f"{prefix}.conv.{i}" for i in range(3)]
            if feature.expand is None:
                _put_folded(feature.depthwise, arrays, f"{names[0]}.0", f"{names[0]}.1", path)
                _put_folded(feature.project, arrays, names[1], names[2], path)
            else:
                _put_folded(feature.expand, arrays, f"{names[0]}.0", f"{names[0]}.1", path)
                _put_folded(feature.depthwise, arrays, f"{names[1]}.0", f"{names[1]}.1", path)
                _put_folded(feature.project, arrays, names[2], f"{prefix}.conv.3", path)
        else:
            assert isinstance(feature, Conv)
            _put_folded(feature, arrays, f"{prefix}.0", f"{prefix}.1", path)
    first = backbone.features[0]
    assert isinstance(first, Conv)
    first.weight.copy_(first.weight.flip(1) / 127.5)  # RGB to BGR


def _put_folded(conv: Conv, arrays: Arrays, name: str, norm: str, path: Path) -> None:
    try:
        weight, gamma, beta, mean, variance = (
            torch.from_numpy(arrays[key])
            for key in (
                f"{name}.weight",
                f"{norm}.weight",
                f"{norm}.bias",
                f"{norm}.running_mean",
                f"{norm}.running_var",
            )
        )
    except KeyError as error:
        raise DataError(f"{path}: has no array {error}; it is not a MobileNetV2 in torchvision's names") from error
    if weight.shape != conv.weight.shape:
        raise DataError(f"{path}: {name} is {tuple(weight.shape)}, the network wants {tuple(conv.weight.shape)}")
    if conv.norm is not None:
        raise DataError("the backbone of this configuration has batch-norm of its own; weights are folded: use norm=()")
    scale = gamma / torch.sqrt(variance + MOBILENET_EPSILON)
    conv.weight.copy_(weight * scale.view(-1, 1, 1, 1))
    assert conv.bias is not None
    conv.bias.copy_(beta - mean * scale)


def nanodet_plus(labels: tuple[str, ...], path: Path) -> Network:
    """NanoDet-Plus-m itself as one of our configurations: the teacher, and what nano starts from.

    Raises:
        DataError: the file is not NanoDet-Plus-m's arrays.
    """
    config = ModelConfig(
        name="nanodet-plus-m",
        labels=labels,
        backbone="shufflenetv2",
        rfcr=False,
        mean=NANODET_MEAN,
        std=NANODET_STD,
    )
    network = Network(config)
    arrays = load_arrays(path)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    _fold_std(state)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise DataError(f"{path}: is not a NanoDet-Plus-m: {str(error).splitlines()[1].strip()}") from error
    return network


def _fold_std(state: dict[str, Tensor]) -> None:
    weight = state.get("backbone.conv1.weight")
    if weight is not None:
        state["backbone.conv1.weight"] = weight / torch.tensor(NANODET_STD).view(1, 3, 1, 1)


@torch.no_grad()
def lateral_deviations(network: Network, images: Tensor) -> list[Tensor]:
    """Standard deviation (C,) of each channel of the laterals' maps, at least a tenth of the mean one."""
    found = []
    for maps in network.laterals(images):
        deviation = maps.std(dim=(0, 2, 3))
        found.append(deviation.clamp(min=0.1 * float(deviation.mean())))
    return found


@torch.no_grad()
def scale_laterals(network: Network, factors: Sequence[Tensor]) -> None:
    """Multiply each channel of the laterals' maps by a positive factor without changing the network's outputs.

    LeakyReLU lets a positive factor through: it moves from the laterals to what reads them.
    """
    neck, width = network.neck, network.config.neck_channels
    if not neck.ghost or not neck.bottom_up:
        raise DataError("only the laterals of a ghost_pan neck can be scaled")
    readers: list[list[tuple[Tensor, int]]] = [[], [], []]  # per lateral: weight and first of its input channels
    nodes = ((0, neck.top_down[1], width), (1, neck.top_down[0], width), (2, neck.top_down[0], 0))
    for level, node, first in (*nodes, (2, neck.bottom_up[1], width)):
        readers[level] += [(node.ghost1.primary.weight, first), (node.shortcut.depthwise.weight, first)]
    if neck.extra_in is not None:
        readers[2].append((neck.extra_in.depthwise.weight, 0))
    for index, (factor, weights) in enumerate(zip(factors, readers, strict=True)):
        _scale_lateral(neck, index, factor)
        for weight, first in weights:
            depthwise = weight.shape[1] == 1
            shape = (-1, 1, 1, 1) if depthwise else (1, -1, 1, 1)
            weight.narrow(0 if depthwise else 1, first, width).div_(factor.view(shape))


def _scale_lateral(neck: Neck, index: int, factor: Tensor) -> None:
    """What the lateral and each block behind it give; inside of the blocks nothing changes."""
    writers = [neck.reduce[index]]
    for block in neck.deepen[index] if neck.deepen else ():
        block.expand.weight.div_(factor.view(1, -1, 1, 1))
        writers.append(block.project)
    for conv in writers:
        conv.weight.mul_(factor.view(-1, 1, 1, 1))
        conv.bias.mul_(factor)


def equalize_laterals(network: Network, images: Tensor) -> None:
    """Bring every channel of the laterals' maps to standard deviation 1 (NanoDet-Plus's have about 0.03).

    For a transplant: what learns these maps from nothing then has weights that suit the optimiser's steps. Not for
    what comes after it: the readers' weights become so small that the same steps spoil them.
    """
    scale_laterals(network, [1 / deviation for deviation in lateral_deviations(network, images)])


@torch.no_grad()
def adopt(network: Network, teacher: Network, images: Tensor) -> list[str]:
    """After a transplant: give the laterals the teacher's own scale, and put its neck and head (fitted) behind them."""
    network.eval()
    network.fold()
    for index, deviation in enumerate(lateral_deviations(teacher, images)):
        _scale_lateral(network.neck, index, deviation)
    theirs = teacher.state_dict()
    for name, tensor in network.state_dict().items():
        if part_of(name) in {"neck", "head"}:
            value = theirs.get(name)
            if value is not None and value.shape == tensor.shape:
                tensor.copy_(value)
    fitted = fit_lighter(network, teacher, images)
    network.train()
    return fitted


@torch.no_grad()
def transplant(target: Network, source: Network) -> list[str]:
    """Copy every tensor that is in both with one shape; return the names of those that were left alone.

    A lateral of the same backbone that reads RFCR's map besides takes the source's weights and zero for the rest: so
    nano starts as NanoDet-Plus itself.
    """
    left = []
    theirs = source.state_dict()
    for name, tensor in target.state_dict().items():
        value = theirs.get(name)
        if value is not None and value.shape == tensor.shape:
            tensor.copy_(value)
        elif value is not None and name.startswith("neck.reduce") and same_backbone(target, source):
            tensor.zero_()
            tensor[:, : value.shape[1]].copy_(value)
        else:
            left.append(name)
    return left


def same_backbone(a: Network, b: Network) -> bool:
    """Whether the laterals of both read the same channels first."""
    return a.config.backbone == b.config.backbone and a.backbone.channels == b.backbone.channels


@torch.no_grad()
def relabel(network: Network, labels: tuple[str, ...]) -> Network:
    """The network with another list of classes: what it knows of a class of the same name stays, the rest is new."""
    if labels == network.config.labels:
        return network
    renamed = Network(dataclasses.replace(network.config, labels=labels))
    if is_folded(network):
        renamed.fold()
    theirs = network.state_dict()
    known = {label: index for index, label in enumerate(network.config.labels)}
    kept = [(new, known[label]) for new, label in enumerate(labels) if label in known]
    for name, tensor in renamed.state_dict().items():
        if ".predict." not in name:
            tensor.copy_(theirs[name])
            continue
        sides = 4 * network.config.bins
        tensor[-sides:].copy_(theirs[name][-sides:])
        for new, old in kept:
            tensor[new].copy_(theirs[name][old])
    return renamed
