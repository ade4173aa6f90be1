"""Steps in proportion to the weights: AdamW's own where they are typical, the same function wherever a gain lies."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from edgecam.resources import models_folder
from edgecam.training.checkpoint import load_network
from edgecam.training.optimizer import LEAST, LEAST_SMALL, MOST, TYPICAL, ScaledAdamW, unit_of

LEARNING_RATE = 1e-2


def weights(scale: float = 1.0) -> Tensor:
    """(8, 4, 3, 3), every output channel of size TYPICAL * scale."""
    values = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    size = values.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return (TYPICAL * scale * values / size).requires_grad_()


def optimizer(name: str, weight: Tensor) -> ScaledAdamW:
    return ScaledAdamW([{"params": [weight], "names": [name], "weight_decay": 0.05}], lr=LEARNING_RATE)


def descend(weight: Tensor, steps: torch.optim.Optimizer, gain: float = 1.0) -> Tensor:
    goal = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    for _ in range(30):
        steps.zero_grad()
        (weight * gain - goal).square().sum().backward()
        steps.step()
    return weight.detach()


def test_typical_weights_take_adamws_steps() -> None:
    ours, theirs = weights(), weights()
    found = descend(ours, optimizer("head.8.predict.weight", ours))
    expected = descend(theirs, torch.optim.AdamW([theirs], lr=LEARNING_RATE, weight_decay=0.05))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gain", [0.25, 500.0])
def test_a_gain_before_or_behind_the_stem_changes_nothing(gain: float) -> None:
    plain, scaled = weights(), weights(1 / gain)
    expected = descend(plain, optimizer("backbone.conv1.weight", plain))
    found = descend(scaled, optimizer("backbone.conv1.weight", scaled), gain)
    torch.testing.assert_close(gain * found, expected, rtol=1e-3, atol=1e-5)


def test_small_channels_and_new_classes_can_still_grow() -> None:
    values = weights().detach()
    values[0] = 0
    unit = unit_of("rfcr.pointwise.weight", values)
    assert unit.shape == (8, 1, 1, 1)
    assert float(unit[0]) == pytest.approx(0.5 * float(values.square().mean().sqrt()) / TYPICAL)
    assert float(unit_of("rfcr.depthwise.weight", 0.01 * values).min()) == pytest.approx(LEAST_SMALL)
    assert float(unit_of("neck.deepen.1.0.project.weight", torch.zeros(8, 8, 1, 1)).min()) == pytest.approx(LEAST_SMALL)
    assert float(unit_of("head.8.predict.weight", 0.01 * values).min()) == LEAST
    assert float(unit_of("head.8.predict.bias", torch.full((8,), -4.6))) == MOST
    assert float(unit_of("head.8.predict.bias", torch.zeros(8))) == LEAST


@pytest.mark.parametrize("member", ["nano", "mobile"])
def test_all_weights_of_the_bundled_networks_learn_at_a_like_pace(member: str) -> None:
    """The laterals of a transplant are a twentieth of the others, and RFCR's depthwise kernels can be a hundredth."""
    network = load_network(models_folder() / f"edgecam-{member}.safetensors").requires_grad_(False)
    for name, weight in network.named_parameters():
        if weight.ndim > 1:
            pace = float(unit_of(name, weight).mean()) * TYPICAL / float(weight.square().mean().sqrt())
            assert 0.25 < pace < 4, name
