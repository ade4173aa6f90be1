"""Writes a trained network as the ONNX file that the application loads, and proves that both give the same."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edgecam.detector import description_json
from edgecam.detector.description import (
    METADATA_KEY,
    Activation,
    InputSpec,
    Layout,
    ModelDescription,
    OutputSpec,
    Resize,
    Thresholds,
)
from edgecam.errors import ModelError
from edgecam.training.network import Network, cells
from edgecam.training.onnx_graph import build

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import onnx

SIZES = ((320, 320), (256, 416), (192, 320), (416, 416))
RELATIVE = 1e-3  # of the value, or of the mean size of the output where that is larger


def describe(network: Network, *, name: str, provenance: dict[str, Any], accuracy: dict[str, Any]) -> ModelDescription:
    """What the application must know of this network."""
    config = network.config
    return ModelDescription(
        name=name,
        input=InputSpec(
            layout=Layout.NHWC,
            color="BGR",
            dtype="uint8",
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            resize=Resize.LETTERBOX,
            pad_value=114,
            stride=32,
            sizes=SIZES,
        ),
        output=OutputSpec(strides=config.strides, bins=config.bins, cell_offset=0.0, activation=Activation.SIGMOID),
        labels=config.labels,
        thresholds=Thresholds(score=0.35, iou=0.6),
        provenance=provenance,
        accuracy=accuracy,
    )


def export(network: Network, path: Path, description: ModelDescription) -> None:
    """Fold a copy of the network and write it with its description; the file appears only when it is whole.

    Raises:
        ModelError: the file cannot be written, or what it computes differs from torch (it is then not kept).
    """
    folded = copy.deepcopy(network).eval()
    folded.fold()
    model = build(folded)
    put_description(model, description)
    save(model, path, check=lambda partial: check_parity(folded, partial))


def put_description(model: onnx.ModelProto, description: ModelDescription) -> None:
    """Set (or replace) the metadata that the application reads."""
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=description.to_json())


def save(model: onnx.ModelProto, path: Path, check: Any = None) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(model.SerializeToString())
        if check is not None:
            check(partial)
        partial.replace(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def check_parity(network: Network, path: Path, sizes: Sequence[tuple[int, int]] = ((320, 320), (192, 320))) -> float:
    """The largest difference between file and network (relative to the larger of value and output's scale).

    Raises:
        ModelError: it is above rtol 1e-3.
    """
    from edgecam.detector.session import create_session, run_session

    session = create_session(path, threads=1)
    worst = 0.0
    for seed, (height, width) in enumerate(sizes):
        image = np.random.default_rng(seed).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        image[:, : height // 2] = 114
        ours = run_session(session, ["cells"], {"image": image})[0]
        with torch.no_grad():
            theirs = cells(network(torch.from_numpy(image))).numpy()
        scale = np.abs(theirs).mean()
        worst = max(worst, float((np.abs(ours - theirs) / (np.abs(theirs) + scale)).max()))
    if worst > RELATIVE:
        raise ModelError(f"{path.name}: differs from torch by {worst:.2g} (allowed: {RELATIVE})")
    return worst


def read_description(model: onnx.ModelProto, path: Path) -> ModelDescription:
    """The description inside an exported file. Raises ModelError without one."""
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            return description_json.read_description(entry.value, source=str(path))
    raise ModelError(f"{path}: was not exported by edgecam (no description inside)")
