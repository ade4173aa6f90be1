"""One step of a training: loss terms, gradients, new weights and their moving average."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import distributed, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from edgecam.errors import DataError
from edgecam.training.labels_loss import labels_terms
from edgecam.training.layers import set_leak
from edgecam.training.network import Network, cells
from edgecam.training.objectives import Terms, distillation
from edgecam.training.teaching import ask

if TYPE_CHECKING:
    from edgecam.training.batches import Batch
    from edgecam.training.plan import Plan
    from edgecam.training.run import Run


def update_average(average: Network, network: Network, step: int, decay: float) -> None:
    """Exponential moving average of the weights, shorter in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    ours, theirs = list(average.state_dict().values()), list(network.state_dict().values())
    smooth = [i for i, tensor in enumerate(ours) if tensor.is_floating_point()]
    get_ema_multi_avg_fn(decay)([ours[i] for i in smooth], [theirs[i] for i in smooth], step)
    for i in set(range(len(ours))) - set(smooth):
        ours[i].copy_(theirs[i])


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
