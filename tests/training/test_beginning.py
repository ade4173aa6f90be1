"""What a run starts with: a transplant's laterals are fitted, once."""

from __future__ import annotations

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
