"""The laterals' fit: it finds what is there, also where channels are alike, and leaves the rest of a network alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from edgecam.training import precision
from edgecam.training.laterals import fit_laterals
from edgecam.training.network import Network, part_of
from tests.training.toy import pictures, small_network


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)


def views() -> list[Tensor]:
    shown = torch.stack([torch.from_numpy(picture) for picture in pictures(16)])
    return list(shown.split(4))


def ready(**changes: Any) -> Network:
    network: Network = small_network(norm=(), **changes).eval()
    network.fold()
    return network


def unexplained(network: Network, teacher: Network, shown: list[Tensor] | None = None) -> list[float]:
    """The share of the variance of the teacher's maps that the network's leave, per stride."""
    images = torch.cat(shown or views())
    with torch.no_grad():
        maps = list(zip(network.laterals(images), teacher.laterals(images), strict=True))
    return [float((ours - theirs).square().mean() / theirs.var(dim=(0, 2, 3)).mean()) for ours, theirs in maps]


def spoil(network: Network) -> None:
    with torch.no_grad():
        for conv in network.neck.reduce:
            conv.weight.normal_()
            conv.bias.normal_()


def test_laterals_that_exist_are_found() -> None:
    teacher = ready()
    student = copy.deepcopy(teacher)
    spoil(student)
    assert min(unexplained(student, teacher)) > 0.5
    fit_laterals(student, teacher, views())
    assert max(unexplained(student, teacher)) < 0.01


def test_directions_that_hardly_vary_are_found_too() -> None:
    """Two channels that are all but one, and a teacher that lives on their difference."""
    teacher = ready(rfcr=False)
    student = copy.deepcopy(teacher)
    with torch.no_grad():
        for network in (teacher, student):
            last = network.backbone.stage2[-1].branch2.pointwise2
            last.weight[1] = last.weight[0] * 1.01
            last.bias[1] = last.bias[0] + 0.02
        lateral = teacher.neck.reduce[0].weight
        lateral.zero_()
        lateral[:, 1], lateral[:, 3] = 100.0, -100.0  # that is where the shuffle puts channels 0 and 1
    spoil(student)
    fit_laterals(student, teacher, views())
    assert unexplained(student, teacher)[0] < 0.05


def test_another_backbone_comes_as_near_as_it_can() -> None:
    teacher = ready()
    student = ready(backbone="mobilenetv2", width=0.25)
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    spoil(student)
    fit_laterals(student, teacher, views())
    best = unexplained(student, teacher)
    assert max(best) < 1
    for name, tensor in student.state_dict().items():
        assert torch.equal(tensor, before[name]) == (part_of(name) != "laterals"), name
    torch.manual_seed(2)
    for conv in student.neck.reduce:  # no small change is better
        kept = conv.weight.clone()
        with torch.no_grad():
            conv.weight.add_(0.05 * float(kept.std()) * torch.randn_like(kept))
    assert all(worse > found for worse, found in zip(unexplained(student, teacher), best, strict=True))


def test_laterals_with_blocks_behind_them_stay() -> None:
    teacher, student = ready(), ready(deepen=(0, 1, 1))
    before = [conv.weight.clone() for conv in student.neck.reduce]
    fit_laterals(student, teacher, views())
    assert all(torch.equal(conv.weight, kept) for conv, kept in zip(student.neck.reduce, before, strict=True))
