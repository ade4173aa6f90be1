"""From a weights file to the files that are bundled: fp32, and its int8 twin."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edgecam.training import checkpoint
from edgecam.training.equalisation import EQUALISED_ON, equalise
from edgecam.training.export import check_parity, describe, export
from edgecam.training.padding import fill_branches
from edgecam.training.quantise import Difference, quantise

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Delivery:
    """Attributes:
    parity: the largest difference from torch, relative.
    difference: how far int8 is from fp32, or None without int8.
    """

    parity: float
    difference: Difference | None


def deliver(
    weights: Path,
    output: Path,
    *,
    name: str | None,
    provenance: dict[str, Any],
    accuracy: dict[str, Any],
    int8: Path | None = None,
    images: list[NDArray[np.uint8]] | None = None,
) -> Delivery:
    """Write the ONNX file of `weights`, and with `int8` its twin calibrated on letterboxed `images` (H, W, 3).

    Raises:
        DataError: the weights cannot be read.
        ModelError: a file cannot be written or does not compute what torch does.
    """
    network = checkpoint.load_network(weights).eval()
    network.fold()
    if images and not checkpoint.learnt_int8(weights):
        equalise(network, torch.from_numpy(np.stack(images[:EQUALISED_ON])))
    name = name or f"edgecam {network.config.name}"
    description = describe(network, name=name, provenance=provenance, accuracy=accuracy)
    export(network, output, description)
    parity = check_parity(network, output)
    if int8 is None or not images:
        return Delivery(parity, None)
    fill_branches(network)
    with tempfile.TemporaryDirectory() as folder:
        filled = Path(folder) / "filled.onnx"
        export(network, filled, description)
        return Delivery(parity, quantise(filled, int8, images, name=f"{name} int8"))
