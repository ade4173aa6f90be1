"""One step of a training: loss terms, gradients, new weights and their moving average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from edgecam.errors import DataError
from edgecam.training.labels_loss import labels_terms
from edgecam.training.layers import set_leak
from edgecam.training.network import Network, cells
from edgecam.training.objectives import Terms, distillation, maps_loss
from edgecam.training.precision import lowered
from edgecam.training.recording import Recorder
from edgecam.training.teaching import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.batches import Batch
    from edgecam.training.plan import Plan
    from edgecam.training.run import Run


@dataclass(frozen=True)
class Losses:
    """The loss terms of one step, which the device may not have computed yet; `step` counts from 1."""

    step: int
    names: tuple[str, ...]
    values: Tensor
    ready: torch.cuda.Event | None = None

    def read(self) -> dict[str, float]:
        """Wait for them.

        Raises:
            DataError: the loss is no longer a number.
        """
        if self.ready is not None:
            self.ready.synchronize()
        values = dict(zip(self.names, self.values.tolist(), strict=True))
        if not math.isfinite(sum(values.values())):
            raise DataError(
                f"the loss is {sum(values.values())} at step {self.step} ({values}): lower the learning rate (--rate)"
            )
        return values


class Stepper:
    """Takes the steps of a run. Nothing in a step waits for the device: the next batch is made meanwhile."""

    def __init__(self, run: Run, teachers: Sequence[Network]) -> None:
        self._run, self._teachers = run, teachers
        self._names: tuple[str, ...] = ()
        self._device = next(run.network.parameters()).device
        constant = not run.plan.straighten and not run.plan.int8  # the same computation in every step
        self._compute = Recorder(self._gradients) if self._device.type == "cuda" and constant else self._gradients

    def __call__(self, batch: Batch) -> Losses:
        run, plan = self._run, self._run.plan
        if plan.straighten:
            for network in (run.network, run.average):
                set_leak(network, plan.leak_at(run.step))
        rate = plan.rate_at(run.step)
        for group in run.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        values = self._compute(batch.to(self._device))
        average_gradients(run.network)
        nn.utils.clip_grad_norm_([p for p in run.network.parameters() if p.requires_grad], plan.clip)
        run.optimizer.step()
        if plan.ema:
            update_average(run.average, run.network, run.step, plan.ema)
        run.step += 1
        ready = torch.cuda.Event() if values.is_cuda else None
        values = values.to("cpu", non_blocking=True)
        if ready is not None:
            ready.record()
        return Losses(run.step, self._names, values, ready)

    def _gradients(self, batch: Batch) -> Tensor:
        """The loss terms' values; the gradients take the place of those before, in the same memory."""
        gradients = [p.grad for p in self._run.network.parameters() if p.grad is not None]
        if gradients:
            torch._foreach_zero_(gradients)
        terms = loss_terms(self._run.network, batch, self._teachers, self._run.plan)
        self._names = tuple(terms)
        joined = torch.stack(list(terms.values()))
        joined.sum().backward()
        return joined.detach()


def loss_terms(network: Network, batch: Batch, teachers: Sequence[Network], plan: Plan) -> Terms:
    """All loss terms of a batch by name, weighted; the batch is on the network's device.

    Networks run in bfloat16 where that is faster, losses in float32. int8's 256 steps want float32 throughout:
    bfloat16 rounds as coarsely itself.
    """
    if plan.taps:
        return {"taps": taps_loss(network, teachers[0], batch.images, plan.taps)}
    size = (batch.images.shape[1], batch.images.shape[2])
    with lowered(batch.images.device.type, exact=plan.int8):
        laterals = network.laterals(batch.images)
        output = cells(network.outputs(laterals)).float() if plan.outputs else None
        lesson = None
        if teachers and plan.distillation is not None:
            lesson = ask(teachers, batch.teacher_images, network.config, size, outputs=plan.outputs)
    terms: Terms = {}
    if lesson is not None and plan.distillation is not None:
        terms |= distillation(laterals, output, lesson, network.config, plan.distillation)
    if plan.labels and output is not None:
        terms |= {n: plan.labels * t for n, t in labels_terms(output, batch.targets, size, network.config).items()}
    return terms


def taps_loss(network: Network, teacher: Network, images: Tensor, count: int) -> Tensor:
    """How far the backbone's first `count` maps are from those of a teacher that has the same channels there."""
    with lowered(images.device.type):
        ours = network.taps(images, count)
        with torch.no_grad():
            theirs = teacher.taps(images, count)
    return maps_loss([x.float() for x in ours], [x.float() for x in theirs])


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


def update_average(average: Network, network: Network, step: int, decay: float) -> None:
    """Exponential moving average of the weights, shorter in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    ours, theirs = list(average.state_dict().values()), list(network.state_dict().values())
    smooth = [i for i, tensor in enumerate(ours) if tensor.is_floating_point()]
    get_ema_multi_avg_fn(decay)([ours[i] for i in smooth], [theirs[i] for i in smooth], step)
    for i in set(range(len(ours))) - set(smooth):
        ours[i].copy_(theirs[i])
