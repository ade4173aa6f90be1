"""A run's first layers can be those of other weights, and stay theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from edgecam.cli import main
from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training import checkpoint
from edgecam.training.front import inner_channels, put_front
from edgecam.training.weights import put_mobilenet
from tests.evaluation.toy_data import write_coco
from tests.training.test_weights import torchvision_arrays
from tests.training.toy import SIZE, small_network

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.training.network import Network

MOBILE = {"backbone": "mobilenetv2", "width": 0.25, "norm": (), "mean": (127.5,) * 3, "std": (127.5,) * 3}
COUNT = 5


def saved(path: Path, network: Network) -> Path:
    checkpoint.save_weights(path, network, {})
    return path


def other(**changes: object) -> Network:
    """Weights unlike those of small_network, with fewer inner channels at the front."""
    network = small_network(**(MOBILE | {"hidden": (8, 16, 24, 24), "labels": COCO_LABELS} | changes))
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return network


def assert_made_of(built: Network, front: dict[str, torch.Tensor], rest: dict[str, torch.Tensor]) -> None:
    for name, tensor in built.state_dict().items():
        first = name.startswith("backbone.") and int(name.split(".")[2]) < COUNT
        torch.testing.assert_close(tensor, (front if first else rest)[name], rtol=1e-3, atol=1e-3, msg=name)


@pytest.mark.parametrize("hidden", [(8, 16, 24, 24), (8, 8, 24, 24)])  # features.2 with 8 expands nothing
def test_the_first_layers_are_the_others_and_all_behind_them_stays(hidden: tuple[int, ...], tmp_path: Path) -> None:
    theirs, ours = other(hidden=hidden), small_network(**MOBILE)
    ours.fold()
    rest = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    built = put_front(ours, saved(tmp_path / "theirs.safetensors", theirs), COUNT)
    theirs.fold()
    assert_made_of(built, theirs.state_dict(), rest)
    assert inner_channels(built.backbone) == (*hidden, *inner_channels(ours.backbone)[4:])
    assert built.config.hidden == inner_channels(built.backbone)
    assert built(torch.zeros(1, *SIZE, 3, dtype=torch.uint8))[0].shape[0] == 1


def test_published_arrays_are_a_front(tmp_path: Path) -> None:
    arrays = torchvision_arrays(small_network(**MOBILE))
    np.savez(tmp_path / "published.npz", **arrays)
    ours = small_network(**MOBILE | {"hidden": (8, 16, 24, 24)})
    whole = small_network(**MOBILE)
    put_mobilenet(whole.backbone, arrays, tmp_path / "published.npz")
    ours.fold()
    rest = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    built = put_front(ours, tmp_path / "published.npz", COUNT)
    assert_made_of(built, whole.state_dict(), rest)


@pytest.mark.parametrize(
    ("changes", "count", "words"),
    [
        ({}, 0, "name from 1 to 17"),
        ({}, 18, "name from 1 to 17"),
        ({"width": 0.5, "hidden": ()}, COUNT, "of another width"),
        ({"backbone": "shufflenetv2", "width": 0.5, "hidden": ()}, COUNT, "only MobileNetV2's"),
        ({"mean": (0.0,) * 3}, COUNT, "another mean and scale"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, object], count: int, words: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "theirs.safetensors", other(**changes))
    with pytest.raises(DataError, match=words):
        put_front(small_network(**MOBILE), path, count)


def test_nano_takes_no_front(tmp_path: Path) -> None:
    nano = small_network()
    weights = saved(tmp_path / "theirs.safetensors", other(mean=nano.config.mean, std=nano.config.std))
    np.savez(tmp_path / "published.npz", **torchvision_arrays(small_network(**MOBILE)))
    for path in (weights, tmp_path / "published.npz"):
        with pytest.raises(DataError, match="only MobileNetV2's"):
            put_front(nano, path, COUNT)


def test_a_run_leaves_its_front_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    front = saved(tmp_path / "front.safetensors", other())
    init = saved(tmp_path / "init.safetensors", small_network(**MOBILE, labels=COCO_LABELS))
    write_coco(tmp_path / "coco", 6)
    words = ["train", str(tmp_path / "coco" / "images"), "--labels", "coco", "--device", "cpu", "--recipe", "outputs"]
    words += ["--teacher", str(init), "--size", "x".join(map(str, SIZE)), "--cache", str(tmp_path / "cache")]
    words += ["--views", "8", "--batch", "4", "--out", str(tmp_path / "out"), "--front", str(front)]
    assert main([*words, "--init", str(init), "--freeze", str(COUNT)]) == 0
    found = checkpoint.load_network(tmp_path / "out" / "weights.safetensors")
    theirs = checkpoint.load_network(front)
    theirs.fold()
    for name, tensor in theirs.state_dict().items():
        if name.startswith("backbone.") and int(name.split(".")[2]) < COUNT:
            assert torch.equal(tensor, found.state_dict()[name]), name
    behind = f"backbone.features.{COUNT}.project.weight"
    assert not torch.equal(theirs.state_dict()[behind], found.state_dict()[behind])
    assert main([*words, "--init", "none", "--model", "mobile"]) != 0
    assert "name a --backbone" in capsys.readouterr().err
