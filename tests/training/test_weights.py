"""Published weights in our networks, a transplant, a lighter fit, and new classes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training.backbones import InvertedResidual
from edgecam.training.config import ModelConfig
from edgecam.training.equalisation import equalise, ghost_sums
from edgecam.training.fitting import fit_lighter, record
from edgecam.training.members import NANO, start_from, teacher_from
from edgecam.training.network import Network, cells
from edgecam.training.weights import adopt, equalize_laterals, nanodet_plus, put_mobilenet, relabel, transplant
from tests.training.toy import shake_norms, small_network

NARROW = ModelConfig(labels=("a", "b"), backbone="mobilenetv2", width=0.25, neck_channels=16, head_channels=16)


def images(count: int = 2, size: int = 64) -> torch.Tensor:
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def torchvision_arrays(network: Network) -> dict[str, np.ndarray]:
    """Random arrays of the shapes and names that torchvision's MobileNetV2 has."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}

    def put(conv: str, norm: str, shape: torch.Size) -> None:
        arrays[f"{conv}.weight"] = rng.normal(0, (shape[1] * shape[2] * shape[3]) ** -0.5, shape).astype(np.float32)
        for key, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            arrays[f"{norm}.{key}"] = rng.uniform(low, low + 1, shape[0]).astype(np.float32)

    for i, feature in enumerate(network.backbone.features):
        name = f"features.{i}"
        if not isinstance(feature, InvertedResidual):
            put(f"{name}.0", f"{name}.1", feature.weight.shape)
            continue
        layers = [feature.expand] if feature.expand is not None else []
        for j, conv in enumerate([*layers, feature.depthwise]):
            put(f"{name}.conv.{j}.0", f"{name}.conv.{j}.1", conv.weight.shape)
        end = len(layers) + 1
        put(f"{name}.conv.{end}", f"{name}.conv.{end + 1}", feature.project.weight.shape)
    return arrays


def test_mobilenet_is_folded_with_its_input_scale_and_colours() -> None:
    network = Network(NARROW)
    arrays = torchvision_arrays(network)
    put_mobilenet(network.backbone, arrays, Path("x.npz"))
    pixels = images(1)
    rgb = pixels.flip(3).permute(0, 3, 1, 2).float() / 127.5 - 1
    x = torch.nn.functional.pad(rgb, (0, 1, 0, 1))  # TensorFlow's SAME for even sizes
    x = torch.nn.functional.conv2d(x, torch.from_numpy(arrays["features.0.0.weight"]), stride=2)
    gamma, beta, mean, variance = (
        torch.from_numpy(arrays[f"features.0.1.{k}"]).view(1, -1, 1, 1)
        for k in ("weight", "bias", "running_mean", "running_var")
    )
    x = ((x - mean) / torch.sqrt(variance + 1e-3) * gamma + beta).clamp(0, 6)
    torch.testing.assert_close(network.backbone.features[0](network.prepare(pixels)), x, rtol=1e-4, atol=1e-4)


def test_arrays_of_another_network_are_refused() -> None:
    network = Network(NARROW)
    arrays = torchvision_arrays(network)
    wider = Network(dataclasses.replace(NARROW, width=0.5))
    with pytest.raises(DataError, match=r"x\.npz: features\.0\.0 is \(8, 3, 3, 3\), the network wants \(16"):
        put_mobilenet(wider.backbone, arrays, Path("x.npz"))
    arrays.pop("features.3.conv.2.weight")
    with pytest.raises(DataError, match="has no array 'features"):
        put_mobilenet(network.backbone, arrays, Path("x.npz"))


@pytest.mark.parametrize("deepen", [(0, 0, 0), (1, 0, 2)])
def test_equalized_laterals_change_nothing_but_the_maps(deepen: tuple[int, ...]) -> None:
    network = small_network(norm=(), neck_upsample="bilinear", deepen=deepen).eval()
    with torch.no_grad():
        wake(network)
        before = cells(network(images()))
        equalize_laterals(network, images())
        torch.testing.assert_close(cells(network(images())), before, rtol=1e-3, atol=1e-3 * float(before.abs().mean()))
        for maps in network.laterals(images()):
            assert float(maps.std(dim=(0, 2, 3)).max()) == pytest.approx(1, abs=0.01)


def wake(network: Network) -> None:
    """Let the blocks behind the laterals do something, as trained ones do."""
    for name, parameter in network.named_parameters():
        if name.startswith("neck.deepen") and "project" in name:
            torch.nn.init.normal_(parameter, std=0.1)


@pytest.mark.parametrize("deepen", [(0, 0, 0), (1, 0, 2)])
def test_after_a_transplant_neck_and_head_are_the_teachers(deepen: tuple[int, ...]) -> None:
    """A student that gives the teacher's maps, at deviation 1, is the teacher once it has adopted the rest."""
    teacher = small_network(norm=(), deepen=deepen).eval()
    teacher.fold()
    wake(teacher)
    student = small_network(norm=(), deepen=deepen).eval()
    student.fold()
    transplant(student, teacher)
    equalize_laterals(student, images(8, 96))
    with torch.no_grad():
        for parameter in (*student.head.parameters(), *student.neck.top_down.parameters()):
            parameter.normal_()
        assert adopt(student, teacher, images(8, 96)) == []
        goal = cells(teacher(images()))
        torch.testing.assert_close(
            cells(student.eval()(images())), goal, rtol=1e-3, atol=1e-3 * float(goal.abs().mean())
        )


def test_lighter_parts_come_close_to_what_they_replace() -> None:
    heavy = small_network(norm=(), neck_kernel=5, head_kernel=5, head_depth=2).eval()
    light = small_network(norm=(), neck_kernel=3, head_kernel=3, head_depth=1).eval()
    heavy.fold()
    light.fold()
    left = transplant(light, heavy)
    pixels = images(8, 96)
    with torch.no_grad():
        goal = cells(heavy(pixels))[:, :2]
        before = float((cells(light(pixels))[:, :2] - goal).square().mean())
        fitted = fit_lighter(light, heavy, pixels)
        after = float((cells(light(pixels))[:, :2] - goal).square().mean())
    assert set(left) == {f"{n}.weight" for n in fitted if "depthwise" in n}
    assert "head.8.predict" in fitted
    assert after < 0.5 * before


def test_relabelled_network_keeps_what_it_knows() -> None:
    network = small_network(norm=()).eval()
    network.fold()
    renamed = relabel(network, ("green", "blue", "red")).eval()
    with torch.no_grad():
        before, after = cells(network(images())), cells(renamed(images()))
    torch.testing.assert_close(after[:, 2], before[:, 0])
    torch.testing.assert_close(after[:, 1], before[:, 1])
    torch.testing.assert_close(after[:, 3:], before[:, 2:])
    new = renamed.head["8"].predict.bias[0]
    assert float(new.sigmoid().detach()) == pytest.approx(0.01)  # a class that nobody knows is rare at first


def test_nano_starts_as_nanodet_plus_itself(shared: Path) -> None:
    path = shared / "weights" / "nanodet_plus_m_416.npz"
    teacher = nanodet_plus(COCO_LABELS, path).eval()
    same = dataclasses.replace(NANO, fine_neck_kernel=0, fine_head_kernel=0)
    nano = start_from(same, teacher=teacher, backbone=None, fit_on=None).eval()
    nano.fold()
    with torch.no_grad():
        theirs, ours = cells(teacher(images(1))), cells(nano(images(1)))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert nano.rfcr is not None


def test_teacher_is_frozen_and_other_files_are_refused(shared: Path, tmp_path: Path) -> None:
    teacher = teacher_from(shared / "weights" / "nanodet_plus_m_416.npz", images(4))
    assert not any(p.requires_grad for p in teacher.parameters())
    with pytest.raises(DataError, match="is not a NanoDet-Plus-m"):
        nanodet_plus(COCO_LABELS, shared / "weights" / "mobilenetv2_1.0_imagenet.npz")
    (tmp_path / "x.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"cannot be read as an \.npz"):
        nanodet_plus(COCO_LABELS, tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["mobilenetv2", "shufflenetv2"])
def test_equalised_channels_compute_the_same_in_like_ranges(name: str) -> None:
    network = small_network(backbone=name, head_depth=2).eval()
    shake_norms(network)
    network.fold()
    conv = network.head["8"].conv0.depthwise
    with torch.no_grad():
        conv.weight.mul_(torch.logspace(-2, 2, conv.out_channels).view(-1, 1, 1, 1))  # channels far apart
        goal = cells(network(images()))

    def spread() -> float:
        reach = record(network, ["head.8.conv0.pointwise"], network.laterals(images()))["head.8.conv0.pointwise"]
        reach = reach.abs().amax(dim=(0, 2, 3))
        return float(reach.max() / reach.min())

    before = spread()
    assert equalise(network, images()) > 10
    with torch.no_grad():
        torch.testing.assert_close(cells(network(images())), goal, rtol=1e-3, atol=1e-3 * float(goal.abs().mean()))
    assert spread() < before / 5


@pytest.mark.parametrize("changes", [{}, {"neck": "ghost_fpn"}, {"strides": (8, 16, 32)}])
def test_sums_read_by_depthwise_convolutions_are_equalised(changes: dict[str, Any]) -> None:
    network = small_network(**changes).eval()
    shake_norms(network)
    network.fold()
    sums = dict(ghost_sums(network))
    assert len(sums) == (1 if changes.get("neck") == "ghost_fpn" else 3)
    with torch.no_grad():
        for ghost in sums:
            ghost.shortcut.pointwise.weight[0].mul_(100)  # one channel far beyond the others
        goal = cells(network(images()))

    def spread() -> list[float]:
        found = []
        hooks = [
            ghost.register_forward_hook(lambda _, __, y: found.append(y.abs().amax(dim=(0, 2, 3)))) for ghost in sums
        ]
        with torch.no_grad():
            network(images())
        for hook in hooks:
            hook.remove()
        return [float(reach.max() / reach.median()) for reach in found]

    before = spread()
    equalise(network, images())
    with torch.no_grad():
        torch.testing.assert_close(cells(network(images())), goal, rtol=1e-3, atol=1e-3 * float(goal.abs().mean()))
    assert all(after < 2 and after < first / 5 for after, first in zip(spread(), before, strict=True))
