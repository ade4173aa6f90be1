"""The two members of the family as they are bundled, and how each starts from published weights."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training.backbones import MobileNetV2
from edgecam.training.config import ModelConfig
from edgecam.training.fitting import fit_lighter
from edgecam.training.network import Network
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

# 3x3 and nearest instead of NanoDet-Plus's 5x5 and bilinear: on ARM a third of neck and head is saved, and RFCR has
# brought the wide context before.
MOBILE: Final = ModelConfig(name="mobile", labels=COCO_LABELS, neck_kernel=3, head_kernel=3, neck_upsample="nearest")
# 3x3 only where a kernel costs most: a tenth is saved, and a transplant keeps 23.7 of its 24.6 AP instead of 19.9.
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
    """NanoDet-Plus-m, frozen; with laterals of unit deviation over `images` where those are given (a transplant)."""
    teacher = nanodet_plus(COCO_LABELS, path).eval()
    if images is not None:
        equalize_laterals(teacher, images)
    return teacher.requires_grad_(False)


def start_from(
    config: ModelConfig, *, teacher: Network | None, backbone: Path | None, fit_on: Tensor | None
) -> Network:
    """A network with what can be taken over: the backbone's file, the teacher's neck and head, fitted where lighter."""
    network = Network(config)
    if backbone is not None:
        if not isinstance(network.backbone, MobileNetV2):
            raise DataError("--backbone is for MobileNetV2; nano takes its backbone from the teacher")
        put_mobilenet(network.backbone, load_arrays(backbone), backbone)
    if teacher is not None:
        transplant(network, teacher)
        if fit_on is not None:
            network.eval()
            fit_lighter(network, teacher, fit_on)
            network.train()
    return network
