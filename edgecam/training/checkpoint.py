"""Files of weights (fp16, small) and of whole runs (fp32, to go on to the same result): safetensors, no pickle."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from edgecam.errors import DataError
from edgecam.training.config import ModelConfig
from edgecam.training.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

KEY = "edgecam"


@dataclass(frozen=True)
class Stored:
    """A file's contents: its description and its tensors (float32)."""

    config: ModelConfig
    tensors: dict[str, Tensor]
    notes: dict[str, Any] = field(default_factory=dict)


def write(path: Path, tensors: dict[str, Tensor], config: ModelConfig, notes: dict[str, Any]) -> None:
    """Write atomically: the previous file survives a full disk or a crash.

    Raises:
        DataError: the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    content = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    metadata = {KEY: json.dumps({"config": config.to_json(), "notes": notes})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(content, partial, metadata=metadata)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: cannot be written ({error}); the previous one is kept") from error
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> Stored:
    """Raises DataError: missing, cut short, or not written by edgecam."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = (file.metadata() or {}).get(KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: cannot be read as weights ({error})") from error
    if metadata is None:
        raise DataError(f"{path}: has no description of its network; it was not written by edgecam")
    content = json.loads(metadata)
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    return Stored(ModelConfig.from_json(content["config"]), tensors, content["notes"])


def save_weights(path: Path, network: Network, notes: dict[str, Any]) -> None:
    """The network alone, as fp16."""
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    write(path, half, network.config, notes | {"folded": is_folded(network)})


def is_folded(network: Network) -> bool:
    """Whether no batch-norm and no scalars of RFCR are left."""
    return not any(".norm." in name or name.endswith("rfcr.scales") for name in network.state_dict())


def learnt_int8(path: Path) -> bool:
    """Whether weights come from a run with int8's rounding: they were equalised before, and lie where it suits them."""
    return bool(read(path).notes.get("plan", {}).get("int8"))


def load_network(path: Path) -> Network:
    """The network of a weights file, built from the configuration that it carries."""
    stored = read(path)
    network = Network(stored.config)
    if not any(".norm." in name or name.endswith("rfcr.scales") for name in stored.tensors):
        network.fold()
    fill(network, stored.tensors, path)
    return network


def fill(network: Network, tensors: dict[str, Tensor], path: Path) -> None:
    """Raises DataError with the first difference when the tensors are of another configuration."""
    ours = network.state_dict()
    for name in ours.keys() | tensors.keys():
        if name not in tensors or name not in ours or tensors[name].shape != ours[name].shape:
            theirs = tuple(tensors[name].shape) if name in tensors else "missing"
            wanted = tuple(ours[name].shape) if name in ours else "nothing of that name"
            raise DataError(
                f"{path}: is a checkpoint of another configuration: {name} is {theirs}, the network has {wanted}"
            )
    network.load_state_dict(tensors)
