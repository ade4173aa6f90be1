"""The one training loop: batches in, loss terms, steps, moving average, checkpoints, validation now and then."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.labels_loss import labels_terms
from edgecam.training.layers import set_leak
from edgecam.training.network import Network, cells
from edgecam.training.objectives import Terms, distillation
from edgecam.training.optimizer import ScaledAdamW
from edgecam.training.plan import Plan
from edgecam.training.teaching import ask
from edgecam.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edgecam.evaluation.coco import Accuracy
    from edgecam.training.batches import Batch, Source, Stream

CHECKPOINT_S = 180.0

logger = logging.getLogger(__name__)


def part_of(name: str) -> str:
    """The part of a network that a parameter belongs to: backbone, rfcr, laterals, neck or head."""
    return "laterals" if name.startswith("neck.reduce") else name.split(".")[0]


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
    return ScaledAdamW(
        [
            {"params": list(named.values()), "names": list(named), "share": share, "weight_decay": decay}
            for (share, decay), named in groups.items()
        ],
        lr=plan.rate,
    )


def update_average(average: Network, network: Network, step: int, decay: float) -> None:
    """Exponential moving average of the weights, shorter in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    ours, theirs = list(average.state_dict().values()), list(network.state_dict().values())
    smooth = [i for i, tensor in enumerate(ours) if tensor.is_floating_point()]
    get_ema_multi_avg_fn(decay)([ours[i] for i in smooth], [theirs[i] for i in smooth], step)
    for i in set(range(len(ours))) - set(smooth):
        ours[i].copy_(theirs[i])


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


def loss_terms(network: Network, batch: Batch, teacher: Network | None, plan: Plan) -> Terms:
    """All loss terms of a batch by name, weighted; the batch is on the network's device.

    Networks run in bfloat16 on a GPU, losses in float32.
    """
    size = (batch.images.shape[1], batch.images.shape[2])
    device = batch.images.device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        laterals = network.laterals(batch.images)
        output = cells(network.outputs(laterals)).float() if plan.outputs else None
        lesson = None
        if teacher is not None and plan.distillation is not None:
            lesson = ask(teacher, batch.teacher_images, network.config, size, outputs=plan.outputs)
    if output is not None and not bool(torch.isfinite(output).all()):
        raise DataError("the network's outputs are no longer numbers: lower the learning rate (--rate)")
    terms: Terms = {}
    if lesson is not None and plan.distillation is not None:
        terms |= distillation(laterals, output, lesson, network.config, plan.distillation)
    if plan.labels and output is not None:
        terms |= {n: plan.labels * t for n, t in labels_terms(output, batch.targets, size, network.config).items()}
    return terms


def average_gradients(network: Network) -> None:
    """The mean over all processes of a `torchrun`, as one message."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def train_step(run: Run, batch: Batch, teacher: Network | None) -> dict[str, float]:
    """One step; returns the loss terms.

    Raises:
        DataError: the loss is no longer a number.
    """
    rate = run.plan.rate_at(run.step)
    if run.plan.straighten:
        for network in (run.network, run.average):
            set_leak(network, run.plan.leak_at(run.step))
    for group in run.optimizer.param_groups:
        group["lr"] = rate * group["share"]
    batch = batch.to(next(run.network.parameters()).device)
    terms = loss_terms(run.network, batch, teacher, run.plan)
    joined = torch.stack(list(terms.values()))
    values = dict(zip(terms, joined.detach().tolist(), strict=True))
    if not math.isfinite(sum(values.values())):
        raise DataError(
            f"the loss is {sum(values.values())} at step {run.step} ({values}): lower the learning rate (--rate)"
        )
    run.optimizer.zero_grad(set_to_none=True)
    joined.sum().backward()
    average_gradients(run.network)
    nn.utils.clip_grad_norm_([p for p in run.network.parameters() if p.requires_grad], run.plan.clip)
    run.optimizer.step()
    if run.plan.ema:
        update_average(run.average, run.network, run.step, run.plan.ema)
    run.step += 1
    return values


@dataclass(frozen=True)
class Schedule:
    """How often a run is validated (in steps; 0: only at its end) and saved, and after how many validations without a
    better one it ends (0: never)."""

    every: int = 0
    patience: int = 0
    save_every_s: float = CHECKPOINT_S


def train(
    run: Run,
    stream: Stream,
    teacher: Network | None,
    judges: Sequence[Source],
    folder: Path,
    *,
    notes: dict[str, Any],
    schedule: Schedule,
    report: Callable[[int, dict[str, float]], None],
    judged: Callable[[int, dict[str, Accuracy]], None],
) -> None:
    """Run to the plan's end or until it gets no better, with checkpoints and validations on the way.

    `report` is called with the loss terms of each step, `judged` with the accuracy by data set of each validation.
    A disk that is full when a checkpoint is written does not end the run: the previous one is kept.
    """
    run.network.train()
    main = not distributed.is_initialized() or distributed.get_rank() == 0
    saved_at = time.monotonic()
    for batch in stream.prefetched(run.step, run.plan.steps):
        report(run.step, train_step(run, batch, teacher))
        last = run.step == run.plan.steps
        due = last or (schedule.every > 0 and run.step % schedule.every == 0)
        stop = due and bool(judges) and _judge(run, judges, folder if main else None, notes, schedule, judged)
        if main and (last or stop or time.monotonic() - saved_at > schedule.save_every_s):
            _save(run, folder, notes, must=last or stop)
            saved_at = time.monotonic()
        if stop:
            return


def _judge(
    run: Run,
    judges: Sequence[Source],
    folder: Path | None,
    notes: dict[str, Any],
    schedule: Schedule,
    judged: Callable[[int, dict[str, Accuracy]], None],
) -> bool:
    """Validate, keep the weights that are best on the first set, and say whether the run has stopped improving."""
    found = {source.dataset.name: validate(run.result, source, run.plan.sizes[0]) for source in judges}
    run.history.append({"step": run.step} | {name: [a.ap, a.ap50] for name, a in found.items()})
    judged(run.step, found)
    first = judges[0].dataset.name
    values = [entry[first][0] for entry in run.history]
    best = values.index(max(values))
    if folder is not None and best == len(values) - 1:
        checkpoint.save_weights(folder / "best.safetensors", run.result, notes | run.progress)
    return 0 < schedule.patience <= len(values) - 1 - best


def _save(run: Run, folder: Path, notes: dict[str, Any], *, must: bool) -> None:
    try:
        run.save(folder, notes)
    except DataError as error:
        if must:
            raise
        logger.warning("%s", error)
