"""The two members of the family as they are bundled, and how each starts from published weights."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import torch

from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training.backbones import MobileNetV2
from edgecam.training.checkpoint import load_network
from edgecam.training.config import ModelConfig
from edgecam.training.fitting import fit_lighter
from edgecam.training.network import Network, part_of
from edgecam.training.pruning import prune
from edgecam.training.weights import (
    NANODET_MEAN,
    NANODET_STD,
    equalize_laterals,
    load_arrays,
    nanodet_plus,
    put_mobilenet,
    transplant,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

# 3x3 only where a kernel costs most: a tenth is saved, and a transplant keeps 23.7 of its 24.6 AP instead of 19.9.
# What that costs mobile its backbone pays: of each block's inner channels those that the others can best replace.
MOBILE: Final = ModelConfig(
    name="mobile",
    labels=COCO_LABELS,
    hidden=(32, 80, 120, 120, 160, 160, 192, 320, 320, 320, 384, 480, 480, 480, 800, 640),
    fine_neck_kernel=3,
    fine_head_kernel=3,
)
NANO: Final = ModelConfig(
    name="nano",
    labels=COCO_LABELS,
    backbone="shufflenetv2",
    mean=NANODET_MEAN,
    std=NANODET_STD,
    fine_neck_kernel=3,
    fine_head_kernel=3,
)
MEMBERS: Final = {"mobile": MOBILE, "nano": NANO}


def configure(config: ModelConfig, settings: list[str]) -> ModelConfig:
    """Change fields by `name=value`, comma-separated values for several: the variants of the family.

    Raises:
        DataError: no such field, or a value that does not fit it.
    """
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in fields or name in {"labels", "name"}:
            raise DataError(f"{setting!r} is not a setting of the network; there are {', '.join(sorted(fields))}")
        changes[name] = _value(name, text, fields[name])
    return dataclasses.replace(config, **changes)


def _value(name: str, text: str, example: Any) -> Any:
    try:
        if isinstance(example, bool):
            return {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}[text.lower()]
        if isinstance(example, tuple):
            kind = float if name in {"mean", "std"} else str if name == "norm" else int
            return tuple(kind(part) for part in text.split(",") if part)
        return type(example)(text)
    except (KeyError, ValueError) as error:
        raise DataError(f"{name}={text}: is not a value for {name} (for example {example})") from error


def teacher_from(path: Path, images: Tensor | None = None) -> Network:
    """NanoDet-Plus-m's arrays (.npz) or weights of ours (.safetensors), frozen.

    With laterals of unit deviation over `images` where those are given (a transplant).

    Raises:
        DataError: the file is neither.
    """
    teacher = (load_network(path) if path.suffix == ".safetensors" else nanodet_plus(COCO_LABELS, path)).eval()
    if images is not None:
        equalize_laterals(teacher, images)
    return teacher.requires_grad_(False)


def start_from(
    config: ModelConfig, *, teacher: Network | None, backbone: Path | None, fit_on: Tensor | None
) -> Network:
    """A network with what can be taken over: the backbone's file, the teacher's neck and head, fitted where lighter.

    `fit_on` are views to fit on, uint8 (B, H, W, 3); a backbone with fewer inner channels is pruned on them.
    """
    network = Network(config)
    if backbone is not None:
        if not isinstance(network.backbone, MobileNetV2):
            raise DataError("--backbone is for MobileNetV2; nano takes its backbone from the teacher")
        _put_backbone(network, backbone, fit_on)
    if teacher is not None:
        transplant(network, teacher)
        if fit_on is not None:
            network.eval()
            fit_lighter(network, teacher, fit_on)
            network.train()
    return network


def _put_backbone(network: Network, path: Path, views: Tensor | None) -> None:
    assert isinstance(network.backbone, MobileNetV2)
    full = MobileNetV2(dataclasses.replace(network.config, hidden=()))
    put_mobilenet(full, load_arrays(path), path)
    if views is None:
        if network.config.hidden:
            raise DataError("a backbone with fewer inner channels is pruned on views: name a --teacher")
        network.backbone.load_state_dict(full.state_dict())
    else:
        prune(network.backbone, full, network.prepare(views))


KEEPS_NECK: Final = ("hidden", "deepen", "deepen_hidden")  # settings that change nothing of neck and head


@torch.no_grad()
def rebuild(network: Network, settings: list[str], teacher: Network | None, views: Tensor) -> Network:
    """Another variant of a trained network: fewer inner channels in its backbone, deeper laterals, another neck.

    The backbone is pruned, RFCR and laterals stay; another neck or head is the teacher's, fitted where the variant's is
    lighter; all on `views`, uint8 (B, H, W, 3).

    Raises:
        DataError: a setting changes something else, or there is no teacher to take neck and head from.
    """
    config = configure(network.config, settings)
    given = network
    if dataclasses.replace(config, **{name: getattr(network.config, name) for name in KEEPS_NECK}) != network.config:
        if teacher is None:
            raise DataError("--set changes neck or head, and those come from a --teacher; or use --init none")
        given = teacher
    network.eval()
    network.fold()
    built = Network(config).eval()
    built.fold()
    pruned = isinstance(built.backbone, MobileNetV2) and isinstance(network.backbone, MobileNetV2)
    if pruned:
        prune(built.backbone, network.backbone, network.prepare(views))
    kept, theirs = network.state_dict(), given.state_dict()
    for name, tensor in built.state_dict().items():
        if pruned and name.startswith("backbone."):
            continue
        ours = part_of(name) in {"backbone", "rfcr", "laterals"}
        value = (kept if ours else theirs).get(name)
        if value is not None and value.shape == tensor.shape:
            tensor.copy_(value)
        elif ours and not (value is None and name.startswith("neck.deepen")):  # new blocks start as identity
            raise DataError(f"--set {' '.join(settings)}: changes {name}, which is kept; use --init none")
    if given is not network:
        fit_lighter(built, given, views)
    return built.train()
