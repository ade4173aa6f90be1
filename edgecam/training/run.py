"""A training under way: network, average, optimiser and plan, and the files that it goes on from."""

from __future__ import annotations

import copy
import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.muon import ScaledMuon
from edgecam.training.network import Network, part_of
from edgecam.training.optimizer import ScaledAdamW
from edgecam.training.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path


def freeze(network: Network, plan: Plan) -> None:
    """Take away the gradients of what the plan leaves alone."""
    frozen = [f"backbone.features.{i}." for i in range(plan.frozen_features)]
    frozen += ["backbone.conv1.", "backbone.stage2.", "backbone.stage3.", "backbone.stage4."][: plan.frozen_features]
    for name, parameter in network.named_parameters():
        untouched = plan.rates.get(part_of(name), 1.0) == 0 or name.startswith(tuple(frozen))
        parameter.requires_grad_(not untouched)


def make_optimizer(network: Network, plan: Plan) -> ScaledAdamW:
    """One group per part and kind; vectors (biases, scalars, batch-norm) do not decay."""
    groups: dict[tuple[float, float], dict[str, nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decay = plan.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((plan.rates.get(part_of(name), 1.0), decay), {})[name] = parameter
    kind = ScaledMuon if plan.muon else ScaledAdamW
    return kind(
        [
            {"params": list(named.values()), "names": list(named), "share": share, "weight_decay": decay}
            for (share, decay), named in groups.items()
        ],
        lr=plan.rate,
    )


@dataclass
class Run:
    """A training under way: everything that a checkpoint holds.

    `history` has one entry per validation: step and accuracy by data set.
    """

    network: Network
    average: Network
    optimizer: ScaledAdamW
    plan: Plan
    step: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, network: Network, plan: Plan) -> Run:
        freeze(network, plan)
        if plan.straighten:
            network.config = dataclasses.replace(network.config, activation="relu")
        average = copy.deepcopy(network).eval().requires_grad_(False)
        return cls(network, average, make_optimizer(network, plan), plan)

    @property
    def result(self) -> Network:
        """What the run has made so far: the average, or without one the network itself."""
        return self.average if self.plan.ema else self.network

    @property
    def progress(self) -> dict[str, Any]:
        return {"step": self.step, "plan": self.plan.to_json(), "history": self.history}

    def save(self, folder: Path, notes: dict[str, Any]) -> None:
        """`last.safetensors` to resume from, and `weights.safetensors` (fp16) to use and to go on from elsewhere."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
        checkpoint.write(folder / "last.safetensors", tensors, self.network.config, notes | self.progress)
        checkpoint.save_weights(folder / "weights.safetensors", self.result, notes | self.progress)

    def resume(self, path: Path) -> None:
        """Go on from `last.safetensors`.

        Raises:
            DataError: it is of another configuration or of another plan.
        """
        stored = checkpoint.read(path)
        known = Plan().to_json() | stored.notes["plan"]  # a setting newer than the run has its default in it
        if json.loads(json.dumps(known)) != json.loads(json.dumps(self.plan.to_json())):
            raise DataError(
                f"{path}: was made with other settings; give the same ones, or start from its weights: --init"
            )
        for prefix, network in (("network.", self.network), ("average.", self.average)):
            mine = {n.removeprefix(prefix): t for n, t in stored.tensors.items() if n.startswith(prefix)}
            checkpoint.fill(network, mine, path)
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in stored.tensors.items():
            if name.startswith("optimizer."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = tensor
        whole = self.optimizer.state_dict()
        whole["state"] = state
        self.optimizer.load_state_dict(whole)
        self.step, self.history = int(stored.notes["step"]), list(stored.notes["history"])
