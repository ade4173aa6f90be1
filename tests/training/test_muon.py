"""Muon's steps: equally long in all directions, in proportion to the weights, taken up again by a resumed run."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgecam.training.muon import ScaledMuon, by_shape, is_matrix, orthogonalise
from edgecam.training.optimizer import TYPICAL, ScaledAdamW
from edgecam.training.plan import Plan
from edgecam.training.run import make_optimizer
from tests.training.toy import small_network

LEARNING_RATE = 1e-3


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (32, 40)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, int]) -> None:
    given = random(2, *shape) * torch.tensor([1e-4, 30.0])[:, None, None]
    found = orthogonalise(given)
    assert found.shape == given.shape
    values = torch.linalg.svdvals(found) / max(shape) ** 0.5
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.3
    u, _, v = torch.linalg.svd(given, full_matrices=False)  # the nearest orthogonal matrix has the same directions
    assert float(torch.nn.functional.cosine_similarity((u @ v).flatten(1), found.flatten(1)).min()) > 0.97


def test_no_gradient_is_no_step() -> None:
    assert torch.equal(orthogonalise(torch.zeros(1, 4, 8)), torch.zeros(1, 4, 8))


def test_only_the_weights_of_1x1_convolutions_are_matrices() -> None:
    assert is_matrix(random(8, 4, 1, 1))
    for other in (random(8), random(8, 4, 3, 3), random(8, 1, 1, 1), random(1, 8, 1, 1), random(8, 1, 5, 5)):
        assert not is_matrix(other)
    first, second, third = random(8, 4, 1, 1), random(4, 8, 1, 1), random(8, 4, 1, 1)
    assert [len(group) for group in by_shape([first, second, third])] == [2, 1]


def distance_left(kind: type[ScaledAdamW], rate: float) -> float:
    """What 60 steps leave of the error of a 1x1 whose inputs are nearly alike in all channels."""
    weight = (0.1 * random(16, 32, 1, 1)).requires_grad_()
    goal = 0.1 * random(16, 32, seed=1)
    spread = torch.logspace(0, -1.5, 32)
    inputs = random(512, 32, seed=2) * spread @ torch.linalg.qr(random(32, 32, seed=3)).Q
    optimizer = kind([{"params": [weight], "names": ["rfcr.collect.0.weight"]}], lr=rate)
    for step in range(60):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / 60)
        optimizer.zero_grad()
        (inputs @ (weight[:, :, 0, 0] - goal).T).square().mean().backward()
        optimizer.step()
    return float((weight.detach()[:, :, 0, 0] - goal).norm())


def test_directions_in_which_inputs_hardly_differ_are_learnt_too() -> None:
    rates = (0.003, 0.01, 0.03)
    muon, adamw = (min(distance_left(kind, rate) for rate in rates) for kind in (ScaledMuon, ScaledAdamW))
    assert muon < 0.7 * adamw


def test_a_step_is_the_learning_rate_in_proportion_to_the_weights() -> None:
    for size in (0.02, 0.1, 3.0):
        weight = (size * random(24, 40, 1, 1)).requires_grad_()
        before = weight.detach().clone()
        optimizer = ScaledMuon([{"params": [weight], "names": ["neck.reduce.0.weight"]}], lr=LEARNING_RATE)
        (weight * random(24, 40, 1, 1, seed=1)).sum().backward()
        optimizer.step()
        step = float((weight.detach() - before).square().mean().sqrt())
        assert step == pytest.approx(LEARNING_RATE * size / TYPICAL, rel=0.25)


def test_all_others_take_adamws_steps() -> None:
    ours, theirs = random(8, 4, 3, 3).requires_grad_(), random(8, 4, 3, 3).requires_grad_()
    for kind, weight in ((ScaledMuon, ours), (ScaledAdamW, theirs)):
        optimizer = kind([{"params": [weight], "names": ["head.8.predict.weight"]}], lr=LEARNING_RATE)
        for _ in range(3):
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
    assert torch.equal(ours, theirs)


def test_a_plan_chooses_it() -> None:
    assert isinstance(make_optimizer(small_network(), Plan(muon=True)), ScaledMuon)
    assert not isinstance(make_optimizer(small_network(), Plan()), ScaledMuon)
