"""Strangers that passed their trial: tried out once, and held to limits as long as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from edgecam.detector.limits import Limits
from edgecam.detector.loading import load_detector, passed
from edgecam.detector.model_library import ModelEntry
from edgecam.detector.records import Records, fingerprint
from edgecam.detector.report import Report
from edgecam.detector.session import OutOfMemory
from edgecam.errors import ModelError
from tests.hostile_models import CELLS, good, swelling_model, treacherous_model
from tests.tiny_models import constant_model, describe, grey

if TYPE_CHECKING:
    from pathlib import Path


def entry(path: Path, *, bundled: bool = False) -> ModelEntry:
    return ModelEntry(path.stem, path, bundled, path.with_suffix(".json"))


def test_a_model_that_hangs_later_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.detector.detector.Limits", lambda: Limits(run_s=1.0))
    path = treacherous_model(tmp_path)
    detector = load_detector(entry(path), Records(tmp_path / "models.json"), threads=1)
    assert len(detector(grey(64, 64)).candidates) == 1
    with pytest.raises(ModelError, match="did not finish one picture within 1 s"):
        detector(grey(64, 64, 255))
    assert len(detector(grey(64, 64)).candidates) == 1


def test_a_model_that_swells_later_gets_no_more_memory(tmp_path: Path) -> None:
    path = swelling_model(tmp_path, 2_500_000_000)  # 10 GB
    detector = load_detector(entry(path), Records(tmp_path / "models.json"), threads=1)
    assert len(detector(grey(64, 64)).candidates) == 1
    before = psutil.Process().memory_info().rss
    with pytest.raises(OutOfMemory, match="more memory than it may have"):
        detector(grey(64, 64, 255))
    assert psutil.Process().memory_info().rss - before < 200e6
    assert len(detector(grey(64, 64)).candidates) == 1


def test_absurdly_many_numbers_are_not_decoded(tmp_path: Path) -> None:
    path = swelling_model(tmp_path, 70_000_000)
    detector = load_detector(entry(path), Records(tmp_path / "models.json"), threads=1)
    with pytest.raises(ModelError, match="gave 70000006 numbers"):
        detector(grey(64, 64, 255))
    assert len(detector(grey(64, 64)).candidates) == 1


def test_who_passed_once_is_loaded_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, records = good(tmp_path), Records(tmp_path / "cache" / "models.json")
    assert len(load_detector(entry(path), records, threads=1)(grey(64, 64)).candidates) == 1

    def not_again(*_: object, **__: object) -> Report:
        return Report("tried out again")

    monkeypatch.setattr("edgecam.detector.loading.try_out", not_again)
    load_detector(entry(path), records, threads=1)
    path.with_suffix(".json").write_text('{"labels": ["a", "b"]}')
    with pytest.raises(ModelError, match="tried out again"):  # its sidecar is another one now
        load_detector(entry(path), records, threads=1)
    assert load_detector(entry(path, bundled=True), records, threads=1).labels == ("a", "b")


def test_a_model_that_fails_is_not_remembered(tmp_path: Path) -> None:
    records = Records(tmp_path / "models.json")
    path = constant_model(tmp_path / "bad.onnx", {"cells": CELLS[:, :, 1:]}, description=describe())
    for _ in range(2):
        with pytest.raises(ModelError, match="79 cells, expected 80"):
            passed(path, records, threads=1)
    assert records.find(fingerprint(path)) is None
