"""After pruning, the first layers of a backbone learn to see as the whole ones do, and nothing else of it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from edgecam.cli import main
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training import checkpoint
from edgecam.training.members import rebuild
from edgecam.training.step import taps_loss
from tests.evaluation.toy_data import write_coco
from tests.training.toy import SIZE, small_network

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.training.network import Network

FULL = {"backbone": "mobilenetv2", "width": 0.25, "norm": ()}
LIGHTER = "hidden=8,16,16,16"  # of features 1 to 4; they had 8, 48, 48, 48


def random_images(count: int = 4) -> torch.Tensor:
    return torch.randint(0, 256, (count, *SIZE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("changes", [FULL, {"norm": ()}, {"norm": (), "truncated": False}])
def test_the_first_taps_are_those_of_the_whole_backbone(changes: dict[str, object]) -> None:
    network, images = small_network(**changes).eval(), random_images(1)
    every = network.taps(images)
    assert len(every) == 4
    for count in range(1, 5):
        for found, expected in zip(network.taps(images, count), every[:count], strict=True):
            assert torch.equal(found, expected)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A command that prunes and trains, but for its recipe and folder."""
    whole = small_network(**FULL, labels=COCO_LABELS)
    checkpoint.save_weights(tmp_path / "whole.safetensors", whole, {})
    write_coco(tmp_path / "coco", 8)
    given = ["--init", str(tmp_path / "whole.safetensors"), "--teacher", str(tmp_path / "whole.safetensors")]
    size = ["--size", "x".join(map(str, SIZE)), "--labels", "coco", "--device", "cpu"]
    return ["train", str(tmp_path / "coco" / "images"), *given, *size, "--cache", str(tmp_path / "cache")]


def test_a_pruned_front_learns_the_taps_of_the_whole(words: list[str], tmp_path: Path) -> None:
    whole = checkpoint.load_network(tmp_path / "whole.safetensors").eval().requires_grad_(False)
    start = rebuild(whole, [LIGHTER], None, random_images()).eval().requires_grad_(False)
    noise = torch.Generator().manual_seed(3)
    for feature in start.backbone.features[1:4]:
        for weight in feature.parameters():
            weight *= 1 + 0.4 * torch.randn(weight.shape, generator=noise)
    checkpoint.save_weights(tmp_path / "start.safetensors", start, {})
    start = checkpoint.load_network(tmp_path / "start.safetensors").eval()  # as fp16 has rounded it
    how = ["--init", str(tmp_path / "start.safetensors"), "--recipe", "taps", "--taps", "1", "--rate", "1e-2", "--muon"]
    assert main([*words, *how, "--batch", "4", "--views", "400", "--ema", "0.9", "--out", str(tmp_path / "taps")]) == 0
    found = checkpoint.load_network(tmp_path / "taps" / "weights.safetensors").eval().requires_grad_(False)
    assert distance(found, whole) < 0.7 * distance(start, whole)
    learnt = tuple(f"backbone.features.{index}." for index in range(4))  # the tap at stride 4 is features.3
    for name, tensor in found.state_dict().items():
        if not name.startswith(learnt):
            assert torch.equal(tensor, start.state_dict()[name]), name


def distance(network: Network, whole: Network) -> float:
    return taps_loss(network, whole, random_images(), 1).item()


def test_outputs_after_taps_keep_their_own_neck_and_head(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ["--batch", "2", "--views", "4"]
    assert main([*words, *how, "--recipe", "taps", "--set", LIGHTER, "--out", str(tmp_path / "taps")]) == 0
    monkeypatch.setattr("edgecam.training.beginning.adopt", None)  # fails when it is called
    again = ["--recipe", "outputs", "--init", str(tmp_path / "taps" / "weights.safetensors")]
    assert main([*words, *how, *again, "--out", str(tmp_path / "outputs")]) == 0


def test_a_teacher_with_another_backbone_is_refused(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = small_network(norm=(), labels=COCO_LABELS)
    checkpoint.save_weights(tmp_path / "other.safetensors", other, {})
    how = ["--recipe", "taps", "--teacher", str(tmp_path / "other.safetensors"), "--views", "4", "--batch", "2"]
    index = words.index("--teacher")
    assert main([*words[:index], *words[index + 2 :], *how, "--out", str(tmp_path / "taps")]) != 0
    assert "must be the same backbone" in capsys.readouterr().err
