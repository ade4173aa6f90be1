"""Training under `torchrun`: all processes start with the same weights and share every batch."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from edgecam.training import checkpoint
from tests.evaluation.toy_data import write_coco
from tests.training.toy import small_network

if TYPE_CHECKING:
    from pathlib import Path

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


def launched(*words: str) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*launch, *words], capture_output=True, text=True, timeout=200, check=False, env=environment)


def test_all_processes_start_with_the_first_ones_weights(tmp_path: Path) -> None:
    script = tmp_path / "shared.py"
    script.write_text(SHARED)
    done = launched(str(script), str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    (own, shared), (others, taken) = ((tmp_path / rank).read_text().split() for rank in "01")
    assert own == shared
    assert others != own
    assert taken == own


def test_the_views_are_those_of_all_processes_together(tmp_path: Path) -> None:
    checkpoint.save_weights(tmp_path / "start.safetensors", small_network(norm=()), {})
    data, out = write_coco(tmp_path / "coco", 4), tmp_path / "run"
    words = ["-m", "edgecam", "train", str(data), "--init", str(tmp_path / "start.safetensors"), "--size", "64x64"]
    words += ["--device", "cpu", "--cache", str(tmp_path / "cache"), "--out", str(out), "--views", "12", "--batch"]
    done = launched(*words, "4")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("weights:") == 1
    assert "3/3" in done.stderr
    refused = launched(*words, "3")
    assert refused.returncode != 0
    assert "--batch 3: has no equal parts for 2 processes" in refused.stderr
