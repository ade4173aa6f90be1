"""bfloat16 where a processor multiplies it: the same gradients but for rounding, and only where it is faster."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from edgecam.training.layers import Conv
from edgecam.training.precision import has_bfloat16, lowered
from edgecam.training.run import Run
from edgecam.training.step import Stepper, loss_terms
from tests.training.toy import small_network, toy_plan, toy_source

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.training.batches import Batch


def processor(monkeypatch: pytest.MonkeyPatch, *, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx, "avx512_bf16": True}, raising=False)


def test_only_where_it_is_multiplied_in_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, amx=True)
    assert has_bfloat16("cpu")
    assert has_bfloat16("cuda")
    processor(monkeypatch, amx=False)
    assert not has_bfloat16("cpu")
    with lowered("cpu"):
        assert not torch.is_autocast_enabled("cpu")


def test_int8_is_learnt_in_float32(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = toy_plan()
    batch, run = plan.stream([toy_source(tmp_path)]).at(0), Run.start(small_network(), plan)
    found = {}
    for amx in (False, True):
        processor(monkeypatch, amx=amx)
        run.plan = dataclasses.replace(plan, int8=True)
        found[amx] = loss(run, batch)
    assert found[True] == found[False]
    run.plan = plan
    assert loss(run, batch) != found[True]


def test_a_torch_that_cannot_say_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not has_bfloat16("cpu")


@pytest.mark.parametrize(("kernel", "stride", "same"), [(3, 1, False), (5, 1, False), (5, 2, False), (3, 2, True)])
@pytest.mark.parametrize("given", [torch.float32, torch.bfloat16])
def test_depthwise_gradients_are_float32s(
    monkeypatch: pytest.MonkeyPatch, kernel: int, stride: int, same: bool, given: torch.dtype
) -> None:
    torch.manual_seed(0)
    conv = Conv(16, 16, kernel, stride=stride, groups=16, act="leaky_relu", same=same)
    picture = torch.randn(2, 16, 12, 8).to(given)

    def gradients() -> list[Tensor]:
        x = picture.clone().requires_grad_()
        conv.zero_grad()
        with lowered("cpu"):
            y = conv(x if has_bfloat16("cpu") else x.float())
        y.float().square().sum().backward()
        assert x.grad is not None
        assert x.grad.dtype == given
        return [y.detach().float(), x.grad.float(), *(p.grad.clone() for p in conv.parameters() if p.grad is not None)]

    processor(monkeypatch, amx=False)
    exact = gradients()
    processor(monkeypatch, amx=True)
    rounded = gradients()
    assert len(exact) == len(rounded) == 4
    for ours, theirs in zip(rounded, exact, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).norm() < 0.01 * theirs.norm()
        assert not torch.equal(ours, theirs)  # it was computed otherwise


def test_a_frozen_depthwise_gets_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, amx=True)
    conv = Conv(8, 8, 3, groups=8)
    conv.weight.requires_grad_(False)
    x = torch.randn(1, 8, 6, 6, requires_grad=True)
    with lowered("cpu"):
        conv(x).float().sum().backward()
    assert conv.weight.grad is None
    assert conv.bias is not None
    assert torch.equal(conv.bias.grad, torch.full((8,), 36.0))
    assert x.grad is not None


def loss(run: Run, batch: Batch) -> float:
    with torch.no_grad():
        return sum(float(term) for term in loss_terms(run.network, batch, [], run.plan).values())


def test_losses_and_learning_are_those_of_float32(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source, plan = toy_source(tmp_path), toy_plan(views=4 * 30, rate=1e-2)
    batch = plan.stream([source]).at(0)
    losses: dict[bool, list[float]] = {}
    for amx in (False, True):
        processor(monkeypatch, amx=amx)
        run = Run.start(small_network(), plan)
        run.network.train()
        stepper, stream = Stepper(run, []), plan.stream([source])
        found = [loss(run, batch)]
        for step in range(30):
            stepper(stream.at(step))
        losses[amx] = [*found, loss(run, batch)]
        assert all(p.dtype == torch.float32 for p in run.network.parameters())
    assert losses[True][0] == pytest.approx(losses[False][0], rel=0.02)
    assert losses[True][0] != losses[False][0]
    for first, last in losses.values():
        assert last < 0.8 * first
