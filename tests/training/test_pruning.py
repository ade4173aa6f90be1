"""Fewer inner channels, and a trained network rebuilt as another variant."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from edgecam.errors import DataError
from edgecam.training.backbones import InvertedResidual, MobileNetV2
from edgecam.training.checkpoint import save_weights
from edgecam.training.config import ModelConfig
from edgecam.training.members import rebuild, start_from, teacher_from
from edgecam.training.network import Network, cells
from edgecam.training.pruning import keep_channels, prune
from tests.training.test_weights import torchvision_arrays

if TYPE_CHECKING:
    from pathlib import Path

NARROW = ModelConfig(labels=("a", "b"), width=0.25, neck_channels=16, head_channels=16, collect=8, redistribute=8)
FULL = (8, 48, 48, 48, 48, 48, 48, 96, 96, 96, 96, 144, 144, 144, 240, 240)
FEWER = (8, 40, 48, 40, 48, 48, 48, 80, 96, 96, 96, 120, 144, 144, 200, 240)


def network(**changes: Any) -> Network:
    torch.manual_seed(8)
    made = Network(dataclasses.replace(NARROW, **changes)).eval()
    made.fold()
    return made


def views() -> torch.Tensor:
    small = torch.randint(0, 256, (4, 3, 12, 12), generator=torch.Generator().manual_seed(6)).float()
    smooth = torch.nn.functional.interpolate(small, size=(96, 96), mode="bilinear")
    return smooth.permute(0, 2, 3, 1).to(torch.uint8)


def hidden(backbone: MobileNetV2) -> tuple[int, ...]:
    return tuple(block.depthwise.out_channels for block in backbone.features if isinstance(block, InvertedResidual))


def test_what_others_can_replace_goes_first() -> None:
    generator = torch.Generator().manual_seed(1)
    inner = torch.randn(2, 6, 8, 8, generator=generator)
    inner[:, 4] = 2 * inner[:, 1] - inner[:, 2]  # any one of these three
    weight = torch.randn(3, 6, 1, 1, generator=generator)
    weight[:, 5] = 0  # nobody reads it
    kept = keep_channels(inner, weight, 4).tolist()
    assert 5 not in kept
    assert len({1, 2, 4} & set(kept)) == 2
    assert {0, 3} <= set(kept)


def test_doubled_channels_are_pruned_without_a_trace() -> None:
    source, target = network(hidden=FULL).backbone, network(hidden=FEWER).backbone
    with torch.no_grad():
        for block, fewer in zip(source.features, target.features, strict=True):
            if isinstance(block, InvertedResidual) and block.expand is not None:
                spare = block.depthwise.out_channels - fewer.depthwise.out_channels
                for conv in (block.expand, block.depthwise) if spare else ():
                    conv.weight[-spare:] = conv.weight[:spare]
                    conv.bias[-spare:] = conv.bias[:spare]
        x = views().permute(0, 3, 1, 2).float() - 127.5
        pruned = prune(target, source, x)
        assert pruned == [f"features.{i + 1}" for i, (a, b) in enumerate(zip(FULL, FEWER, strict=True)) if a > b]
        for ours, theirs in zip(target(x), source(x), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0.05, atol=0.02 * float(theirs.abs().max()))
    assert hidden(target) == FEWER


def test_a_wider_block_is_refused() -> None:
    with pytest.raises(DataError, match=r"features\.2: has 40 inner channels"):
        prune(network(hidden=FULL).backbone, network(hidden=FEWER).backbone, torch.zeros(1, 3, 32, 32))


def test_a_block_that_would_expand_nothing_is_refused() -> None:
    with pytest.raises(DataError, match=r"features\.2: with as many inner channels \(8\)"):
        prune(network(hidden=(8, 8)).backbone, network(hidden=FULL).backbone, torch.zeros(1, 3, 32, 32))


def test_a_block_that_expands_nothing_is_not_pruned() -> None:
    with pytest.raises(DataError, match=r"features\.1: its inner channels are the 8 that come in, none to prune"):
        prune(network(hidden=(4,)).backbone, network(hidden=FULL).backbone, torch.zeros(1, 3, 32, 32))


def test_a_trained_network_becomes_a_lighter_variant() -> None:
    trained, teacher = network(neck_kernel=3, head_kernel=3), network()
    before = [x.clone() for x in trained.laterals(views())]
    settings = [f"hidden={','.join(map(str, FEWER))}", "neck_kernel=5", "head_kernel=5", "fine_head_kernel=3"]
    built = rebuild(trained, settings, teacher, views()).eval()
    assert isinstance(built.backbone, MobileNetV2)
    assert hidden(built.backbone) == FEWER
    assert (built.config.head_kernel, built.config.fine_head_kernel) == (5, 3)
    with torch.no_grad():
        after = built.laterals(views())
        for ours, theirs in zip(after, before, strict=True):
            assert float((ours - theirs).square().mean()) < 0.1 * float(theirs.var())
        assert torch.isfinite(cells(built(views()))).all()
    ours, theirs = built.state_dict(), teacher.state_dict()
    assert torch.equal(ours["head.16.conv0.depthwise.weight"], theirs["head.16.conv0.depthwise.weight"])
    assert torch.equal(ours["rfcr.pointwise.weight"], trained.state_dict()["rfcr.pointwise.weight"])


def test_deeper_laterals_start_as_what_they_deepen_and_need_no_teacher() -> None:
    trained = network()
    with torch.no_grad():
        deeper = rebuild(copy.deepcopy(trained), ["deepen=0,1,2"], None, views()).eval()
        torch.testing.assert_close(cells(deeper(views())), cells(trained(views())))
        assert sum("deepen" in name for name in deeper.state_dict()) > 0
        for block in (*deeper.neck.deepen[1], *deeper.neck.deepen[2]):
            block.project.weight.normal_()
        again = rebuild(copy.deepcopy(deeper), ["deepen=0,1,2", f"hidden={','.join(map(str, FEWER))}"], None, views())
        for ours, theirs in zip(again.neck.parameters(), deeper.neck.parameters(), strict=True):
            assert torch.equal(ours, theirs)
        other = rebuild(copy.deepcopy(deeper), ["neck_kernel=3"], network(), views())
        assert torch.equal(other.neck.deepen[2][0].project.weight, deeper.neck.deepen[2][0].project.weight)
    with pytest.raises(DataError, match="--set changes neck or head, and those come from a --teacher"):
        rebuild(trained, ["neck_kernel=3"], None, views())


def test_what_a_variant_keeps_cannot_be_set() -> None:
    with pytest.raises(DataError, match="collect=16: changes rfcr"):
        rebuild(network(), ["collect=16"], network(), views())


def test_a_published_backbone_is_pruned_on_views(tmp_path: Path) -> None:
    config = dataclasses.replace(NARROW, hidden=FEWER)
    np.savez(tmp_path / "mobile.npz", **torchvision_arrays(network()))
    with pytest.raises(DataError, match="pruned on views"):
        start_from(config, teacher=None, backbone=tmp_path / "mobile.npz", fit_on=None)
    made = start_from(config, teacher=None, backbone=tmp_path / "mobile.npz", fit_on=views())
    assert isinstance(made.backbone, MobileNetV2)
    assert hidden(made.backbone) == FEWER
    assert torch.isfinite(cells(made(views()))).all()


def test_weights_of_ours_can_teach(tmp_path: Path) -> None:
    ours = network()
    save_weights(tmp_path / "ours.safetensors", copy.deepcopy(ours), {})
    teacher = teacher_from(tmp_path / "ours.safetensors")
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    with torch.no_grad():
        given, wanted = cells(teacher(views())), cells(ours(views()))
    assert float((given - wanted).abs().mean()) < 0.01 * float(wanted.std())  # stored as fp16
