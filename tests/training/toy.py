"""A network, data and plan so small that a test can train it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edgecam.evaluation.datasets.reading import read
from edgecam.training.config import ModelConfig
from edgecam.training.network import Network, cells
from edgecam.training.plan import Plan
from edgecam.training.sources import open_source
from edgecam.training.views import ViewConfig
from tests.evaluation.toy_data import NAMES, write_yolo

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgecam.training.batches import Source

SMALL = ModelConfig(
    name="small",
    labels=NAMES,
    backbone="shufflenetv2",
    width=0.5,
    collect=8,
    redistribute=8,
    neck_channels=16,
    neck_kernel=3,
    head_channels=16,
    head_kernel=3,
    head_depth=1,
    norm=("backbone", "rfcr", "laterals", "neck", "head"),
)
SIZE = (64, 64)
MEAN = (103.53, 116.28, 123.675)


def small_network(**changes: Any) -> Network:
    torch.manual_seed(1)
    return Network(dataclasses.replace(SMALL, **changes))


def toy_source(folder: Path, count: int = 8) -> Source:
    return open_source(read(str(write_yolo(folder / "data", count)), NAMES), folder / "cache")


def toy_plan(**changes: Any) -> Plan:
    plan = Plan(views=32, batch=4, rate=2e-3, warmup=2, labels=1.0, sizes=(SIZE,), view=ViewConfig(scale=(0.9, 1.1)))
    return dataclasses.replace(plan, **changes)


def shake_norms(network: Network) -> None:
    """Give batch-norms statistics and gains as a training would."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)


def folded(config: ModelConfig) -> Network:
    torch.manual_seed(4)
    network = Network(config).eval()
    network.fold()
    with torch.no_grad():  # outputs as large as a trained network's
        spread = cells(network(torch.from_numpy(np.stack(pictures())))).std()
        for name, parameter in network.named_parameters():
            if ".predict." in name:
                parameter.div_(spread)
    return network


def shuffle_net() -> Network:
    return folded(dataclasses.replace(SMALL, mean=MEAN, norm=()))


def mobile_net() -> Network:
    return folded(dataclasses.replace(SMALL, backbone="mobilenetv2", width=0.25, norm=()))


def pictures(count: int = 4) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(5)
    smooth = [rng.integers(0, 256, (8, 8, 3)).astype(np.uint8) for _ in range(count)]
    return [np.kron(small, np.ones((8, 8, 1), np.uint8)) for small in smooth]
