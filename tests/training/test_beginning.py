"""What a run starts with: a transplant's laterals are fitted, once, and all processes start with the same weights."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from edgecam.cli import main
from edgecam.evaluation.datasets.labels import COCO_LABELS
from edgecam.training import beginning, checkpoint, laterals
from tests.evaluation.toy_data import write_coco
from tests.training.test_laterals import unexplained
from tests.training.toy import SMALL, small_network

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest
    from torch import Tensor

    from edgecam.training.network import Network

SHARED = """
import sys
from pathlib import Path
import torch
from torch import nn
from edgecam.training.processes import processes, share_weights
with processes() as (rank, world):
    torch.manual_seed(rank)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    own = float(network[0].weight.detach().sum())
    share_weights(network)
    Path(sys.argv[1], str(rank)).write_text(f"{own} {float(network[0].weight.detach().sum())}")
"""


def test_a_transplants_laterals_are_fitted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginning, "LATERAL_BATCHES", 2)
    found: list[tuple[list[float], list[float]]] = []

    def fit(network: Network, teacher: Network, views: Iterable[Tensor]) -> None:
        shown = list(views)
        before = unexplained(network, teacher, shown)
        laterals.fit_laterals(network, teacher, shown)
        found.append((before, unexplained(network, teacher, shown)))

    monkeypatch.setattr(beginning, "fit_laterals", fit)
    teacher = small_network(labels=COCO_LABELS, norm=())
    checkpoint.save_weights(tmp_path / "teacher.safetensors", teacher, {})
    write_coco(tmp_path / "coco", 4)
    photos = tmp_path / "coco" / "images"
    words = ["train", str(photos), "--labels", "coco", "--size", "64x64", "--batch", "2", "--views", "4"]
    words += ["--teacher", str(tmp_path / "teacher.safetensors"), "--device", "cpu", "--cache", str(tmp_path / "cache")]
    names = ("collect", "redistribute", "neck_channels", "neck_kernel", "head_channels", "head_kernel", "head_depth")
    variant = [f"{name}={getattr(SMALL, name)}" for name in names] + ["width=0.25", "hidden="]
    anew = ["--model", "mobile", "--init", "none", *(word for setting in variant for word in ("--set", setting))]
    assert main([*words, "--recipe", "maps", *anew, "--out", str(tmp_path / "maps")]) == 0
    assert not found
    outputs = ["--recipe", "outputs", "--init", str(tmp_path / "maps" / "weights.safetensors")]
    outputs += ["--out", str(tmp_path / "outputs")]
    assert main([*words, *outputs]) == 0
    [(before, after)] = found
    assert all(now < then for now, then in zip(after, before, strict=True))
    assert main([*words, *outputs, "--resume"]) == 0
    assert len(found) == 1


def test_all_processes_start_with_the_first_ones_weights(tmp_path: Path) -> None:
    script = tmp_path / "shared.py"
    script.write_text(SHARED)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, str(script), str(tmp_path)], capture_output=True, text=True, timeout=200, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (own, shared), (others, taken) = ((tmp_path / rank).read_text().split() for rank in "01")
    assert own == shared
    assert others != own
    assert taken == own
