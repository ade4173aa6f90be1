"""`edgecam train`, `export` and `evaluate` as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import onnx
import torch

from edgecam.cli import main
from edgecam.detector.detector import Detector
from edgecam.training import checkpoint
from edgecam.training.export import read_description
from tests.evaluation.toy_data import write_coco, write_voc, write_yolo
from tests.training.test_processes import launched
from tests.training.toy import small_network

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

VARIANT = [
    "width=0.5",
    "collect=8",
    "redistribute=8",
    "neck_channels=16",
    "head_channels=16",
    "norm=backbone,rfcr,laterals,neck,head",
]


def train(*args: object, fresh: bool = True) -> int:
    plan = ["--size", "64x64", "--batch", "2", "--views", "8", "--every", "0", "--device", "cpu"]
    new = ["--init", "none", *(word for setting in VARIANT for word in ("--set", setting))] if fresh else []
    return main(["train", *plan, *new, *map(str, args)])


def test_from_data_to_a_file_that_the_detector_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yolo = write_yolo(tmp_path / "yolo", 4)
    coco, voc = write_coco(tmp_path / "coco", 3), write_voc(tmp_path / "voc", 3)
    photos = tmp_path / "coco" / "images"
    run = tmp_path / "run"
    assert train(yolo, coco, f"{voc}:trainval", photos, "--val", f"{yolo}:val", "--out", run) == 0
    assert list((run / "tensorboard").iterdir())
    weights, output, small = run / "weights.safetensors", tmp_path / "toy.onnx", tmp_path / "toy-int8.onnx"
    about = tmp_path / "about.json"
    about.write_text(json.dumps({"provenance": {"data": "toy"}, "accuracy": {"AP": 1.5}}))
    words = ["export", weights, "--output", output, "--about", about, "--name", "toy"]
    assert main([*map(str, words), "--int8", str(small), "--calibrate", str(coco)]) == 0
    assert "differs from torch by" in capsys.readouterr().out
    description = read_description(onnx.load(output), output)
    assert (description.labels, description.name) == (("red", "blue"), "toy")
    assert (description.provenance, description.accuracy) == ({"data": "toy"}, {"AP": 1.5})
    for path in (output, small):
        detector = Detector(path, input_hw=(64, 64))
        assert detector.labels == ("red", "blue")
        detector(cv2.imread(str(photos / "000.png")))
    kinds = {node.op_type for node in onnx.load(small).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    words = ["evaluate", output, coco, f"{voc}:trainval", "--size", "64x64", "--per-class"]
    assert main([*map(str, words), "--plot", str(tmp_path / "curve.png")]) == 0
    printed = capsys.readouterr().out
    assert "VOC AP50" in printed
    assert "red" in printed
    assert "±" in printed
    assert main(["evaluate", str(output), str(coco), "--size", "64x64", "--than", str(small)]) == 0
    assert "toy against toy-int8 on " in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "curve.png")) is not None


def test_fine_tuning_keeps_the_network_and_takes_the_datas_classes(tmp_path: Path) -> None:
    network = small_network(labels=("red", "cat", "dog"))
    network.fold()
    checkpoint.save_weights(tmp_path / "start.safetensors", network, {})
    yolo = write_yolo(tmp_path / "yolo", 4)
    assert train(yolo, "--init", tmp_path / "start.safetensors", "--out", tmp_path / "run", fresh=False) == 0
    tuned = checkpoint.load_network(tmp_path / "run" / "weights.safetensors")
    assert tuned.config.labels == ("red", "blue")
    assert tuned.config.neck_channels == network.config.neck_channels


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yolo = write_yolo(tmp_path / "yolo", 2)
    run = tmp_path / "run"
    for words, message in (
        ([tmp_path / "nothing"], "there is no such file or folder"),
        ([yolo, "--recipe", "outputs"], "needs --teacher"),
        ([yolo, "--scale", "1"], "--scale"),
        ([yolo, "--colour", "3"], "must be from 0 to 2"),
        ([yolo, "--device", "tpu"], "must be auto, cpu or cuda"),
        ([yolo, "--resume"], "cannot be read as weights"),
        ([yolo, "--set", "width=9"], "width of ShuffleNetV2"),
        ([yolo, "--labels", "coco"], "is not among the network's 80 labels"),
    ):
        assert train(*words, "--out", run) != 0
        lines = capsys.readouterr().err.strip().splitlines()
        assert message in lines[-1]
        assert lines[-1].startswith("edgecam: ")
    assert main(["evaluate", str(tmp_path / "no.onnx"), str(yolo)]) != 0
    assert main(["evaluate", str(yolo), str(yolo), "--size", "50x50"]) != 0
    assert main(["evaluate", "edgecam-nano", str(yolo), "--than", str(tmp_path / "no.onnx")]) != 0
    assert main(["export", str(yolo)]) != 0


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yolo = write_yolo(tmp_path / "yolo", 2)
    assert train(yolo, "--out", tmp_path / "run") == 0
    before = (tmp_path / "run" / "last.safetensors").read_bytes()
    assert train(yolo, "--out", tmp_path / "run") != 0
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == before
    assert train(yolo, "--out", tmp_path / "run", "--resume") == 0


def test_batch_norm_without_anything_to_average_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yolo = write_yolo(tmp_path / "yolo", 4)
    assert train(yolo, "--batch", "1", "--out", tmp_path / "run", "--cache", tmp_path / "cache") != 0
    assert "--batch 1: batch-norm needs two pictures" in capsys.readouterr().err


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    yolo = write_yolo(tmp_path / "yolo", 4)
    words = ["train", str(yolo), "--size", "64x64", "--batch", "4", "--views", "8", "--device", "cpu", "--init", "none"]
    words += [word for setting in VARIANT for word in ("--set", setting)]
    words += ["--out", str(tmp_path / "run"), "--cache", str(tmp_path / "cache")]
    done = launched("-m", "edgecam", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    assert torch.isfinite(next(checkpoint.load_network(tmp_path / "run" / "weights.safetensors").parameters())).all()


def test_a_run_that_is_ended_from_outside_keeps_what_it_has(tmp_path: Path) -> None:
    yolo, run = write_yolo(tmp_path / "yolo", 4), tmp_path / "run"
    words = [
        "train",
        str(yolo),
        "--size",
        "64x64",
        "--batch",
        "2",
        "--views",
        "100000",
        "--every",
        "0",
        "--device",
        "cpu",
    ]
    words += ["--init", "none", *(word for setting in VARIANT for word in ("--set", setting))]
    words += ["--out", str(run), "--cache", str(tmp_path / "cache")]
    launch = [sys.executable, "-m", "edgecam", *words]
    with subprocess.Popen(launch, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        shown = ""
        while "qfl" not in shown:  # the first step is done
            character = process.stderr.read(1)
            assert character, shown
            shown += character
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(60) == 130, rest
    assert "--resume goes on" in rest
    step = checkpoint.read(run / "weights.safetensors").notes["step"]
    assert f"stopped at step {step} of 50000" in rest
    assert step >= 1
    assert (run / "last.safetensors").exists()
