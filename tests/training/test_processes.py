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

INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from edgecam.cli import main
from edgecam.training.step import Stepper
rank, stepped = os.environ["RANK"], Stepper.__call__
def step(self, batch):
    made = stepped(self, batch)
    if rank == "1" and made.step == 2:
        signal.raise_signal(signal.SIGTERM)
    return made
Stepper.__call__ = step
Path(sys.argv[1], rank).write_text(str(main(sys.argv[2:])))
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


def words_of_a_run(folder: Path) -> list[str]:
    checkpoint.save_weights(folder / "start.safetensors", small_network(norm=()), {})
    data = write_coco(folder / "coco", 4)
    words = ["train", str(data), "--init", str(folder / "start.safetensors"), "--size", "64x64", "--device", "cpu"]
    return [*words, "--val", str(data), "--cache", str(folder / "cache"), "--out", str(folder / "run")]


def test_the_views_are_those_of_all_processes_together(tmp_path: Path) -> None:
    words = ["-m", "edgecam", *words_of_a_run(tmp_path), "--views", "12", "--batch"]
    done = launched(*words, "4")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("weights:") == 1
    stored = checkpoint.read(tmp_path / "run" / "last.safetensors")
    assert stored.notes["step"] == 3
    assert [entry["step"] for entry in stored.notes["history"]] == [3]
    refused = launched(*words, "3")
    assert refused.returncode != 0
    assert "--batch 3: has no equal parts for 2 processes" in refused.stderr


def test_all_processes_stop_at_the_same_step_and_go_on(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    words = [*words_of_a_run(tmp_path), "--views", "40", "--batch", "4"]
    done = launched(str(script), str(tmp_path), *words)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["130", "130"]
    assert checkpoint.read(tmp_path / "run" / "last.safetensors").notes["step"] == 2
    done = launched("-m", "edgecam", *words, "--resume")
    assert done.returncode == 0, done.stderr[-2000:]
    assert checkpoint.read(tmp_path / "run" / "last.safetensors").notes["step"] == 10
