"""The mean of several trainings: exact, of one kind only, and reachable from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from edgecam.cli import main
from edgecam.errors import DataError
from edgecam.training import checkpoint
from edgecam.training.averaging import average
from tests.training.toy import small_network

if TYPE_CHECKING:
    from pathlib import Path


def weights(path: Path, change: float, **settings: object) -> Path:
    network = small_network(**settings)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(change)
    checkpoint.save_weights(path, network, {})
    return path


def test_shares_are_taken_of_their_sum(tmp_path: Path) -> None:
    a, b = weights(tmp_path / "a.safetensors", 0.0), weights(tmp_path / "b.safetensors", 1.0)
    low, high = (checkpoint.load_network(path).state_dict() for path in (a, b))
    for name, tensor in average([(a, 3), (b, 1)]).state_dict().items():
        torch.testing.assert_close(tensor.float(), 0.75 * low[name].float() + 0.25 * high[name].float())


def test_what_makes_no_mean_is_refused(tmp_path: Path) -> None:
    a = weights(tmp_path / "a.safetensors", 0.0)
    wider = weights(tmp_path / "wider.safetensors", 0.0, neck_channels=32)
    folded = tmp_path / "folded.safetensors"
    network = small_network()
    network.fold()
    checkpoint.save_weights(folded, network, {})
    with pytest.raises(DataError, match=r"wider\.safetensors: is a network of another configuration"):
        average([(a, 1), (wider, 1)])
    with pytest.raises(DataError, match=r"folded\.safetensors"):
        average([(a, 1), (folded, 1)])
    for shares in ((0, 0), (2, -1)):
        with pytest.raises(DataError, match="shares"):
            average([(a, share) for share in shares])


def test_the_command_writes_weights_to_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = weights(tmp_path / "a=1.safetensors", 0.0), weights(tmp_path / "b.safetensors", 1.0)
    mean = tmp_path / "mean.safetensors"
    assert main(["average", str(a), f"{b}=3", "--output", str(mean)]) == 0
    assert "a=1.safetensors x 1, b.safetensors x 3" in capsys.readouterr().out
    found = checkpoint.load_network(mean).state_dict()
    for name, tensor in average([(a, 1), (b, 3)]).state_dict().items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-3)  # fp16
    assert main(["average", str(tmp_path / "none.safetensors"), "--output", str(mean)]) == 1
    assert "none.safetensors: cannot be read as weights" in capsys.readouterr().err
