"""The first layers of a backbone taken from other weights, for a run that leaves them as they are.

Published backbones have seen far more photographs than a run's own. What learns behind their first layers keeps what
those see of pictures it has never been shown; after a long run of one's own they see less of them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, MobileNetV2
from edgecam.training.checkpoint import load_network
from edgecam.training.network import Network
from edgecam.training.weights import load_arrays, put_mobilenet

if TYPE_CHECKING:
    from pathlib import Path


@torch.no_grad()
def put_front(network: Network, path: Path, count: int) -> Network:
    """The network, folded, with the backbone's first `count` layers from `path`, as many inner channels as they have.

    Args:
        path: MobileNetV2's arrays (.npz) or weights of ours (.safetensors).

    Raises:
        DataError: the file is neither, one of the two has another backbone, width or scale of its input, or there are
            not so many layers.
    """
    network.fold()
    front = _backbone(network, path)
    ours = network.backbone
    if not isinstance(ours, MobileNetV2) or not isinstance(front, MobileNetV2):
        raise DataError(f"--front {path}: only MobileNetV2's first layers can be taken from other weights")
    most = min(len(ours.features), len(front.features))
    if not 0 < count <= most:
        raise DataError(f"--front takes the layers that --freeze N leaves as they are: name from 1 to {most}")
    hidden = inner_channels(front, count) + inner_channels(ours)[count - 1 :]
    built = Network(dataclasses.replace(network.config, hidden=hidden))
    built.fold()
    weights = {name: tensor for name, tensor in network.state_dict().items() if not _among_first(name, count)}
    theirs = {f"backbone.{name}": tensor for name, tensor in front.state_dict().items()}
    weights |= {name: tensor for name, tensor in theirs.items() if _among_first(name, count)}
    try:
        built.load_state_dict(weights)
    except RuntimeError as error:
        raise DataError(f"--front {path}: its layers are of another width than the network's") from error
    return built.train(network.training)


def _among_first(name: str, count: int) -> bool:
    """Whether a network's parameter belongs to the backbone's first `count` layers."""
    return name.startswith("backbone.features.") and int(name.split(".")[2]) < count


def inner_channels(backbone: MobileNetV2, count: int | None = None) -> tuple[int, ...]:
    """Those of each inverted residual among the first `count` layers, as ModelConfig.hidden has them."""
    blocks = [layer for layer in backbone.features[:count] if isinstance(layer, InvertedResidual)]
    return tuple(block.depthwise.out_channels for block in blocks)


def _backbone(network: Network, path: Path) -> torch.nn.Module:
    if path.suffix == ".safetensors":
        other = load_network(path)
        if (other.config.mean, other.config.std) != (network.config.mean, network.config.std):
            raise DataError(f"--front {path}: takes its input with another mean and scale")
    else:
        other = Network(dataclasses.replace(network.config, hidden=(), norm=()))
        if not isinstance(other.backbone, MobileNetV2):
            return other.backbone
        put_mobilenet(other.backbone, load_arrays(path), path)
    other.fold()
    return other.backbone
