"""Hostile models: each ends as one message, in a process of its own, and nothing of it reaches this one."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import psutil
import pytest

from edgecam.detector import trial
from edgecam.detector.description_json import complete
from edgecam.detector.trial import try_out
from tests.hostile_models import CELLS, good, greedy_model, looping_model
from tests.tiny_models import constant_model, describe

if TYPE_CHECKING:
    from pathlib import Path


def test_a_good_model_has_a_report(tmp_path: Path) -> None:
    report = try_out(good(tmp_path), threads=1)
    assert report.message == ""
    assert report.family == "edgecam"
    assert report.input_hw == (64, 64)
    assert complete(report.description, source="here") == replace(describe(), precision="fp32")
    assert [one.label for one in report.seen] == ["dog"]
    assert report.load_ms > 0
    assert report.memory_mb > 10


def test_a_model_without_end_is_given_up_in_time(tmp_path: Path) -> None:
    started = time.monotonic()
    report = try_out(looping_model(tmp_path), threads=1, seconds=4)
    assert "did not finish one picture within 4 s" in report.message
    assert time.monotonic() - started < 8
    assert not psutil.Process().children(recursive=True)


def test_memory_is_limited(tmp_path: Path) -> None:
    report = try_out(greedy_model(tmp_path, 2_500_000_000), threads=1, memory_mb=500)  # 10 GB
    assert "needs more memory than it may have here (500 MB)" in report.message


def test_an_absurd_shape_is_one_message(tmp_path: Path) -> None:
    report = try_out(greedy_model(tmp_path, 2**62), threads=1)
    assert report.message.startswith(str(tmp_path / "greedy.onnx"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os.abort()", "its process died of SIGABRT"),
        ("import os; os.kill(os.getpid(), 11)", "its process died of SIGSEGV"),
        ("import sys; sys.exit(3)", "its process ended with code 3"),
        ("print('Hello')", "its process ended with code 0"),
        ("print('[]')", "its process ended with code 0"),
        ("while True: print('x' * 10000)", "the model was given up"),
    ],
)
def test_a_crash_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str) -> None:
    monkeypatch.setattr(trial, "own_command", lambda: [sys.executable, "-c", code])
    report = try_out(good(tmp_path), seconds=20)
    assert message in report.message
    assert "\n" not in report.message


def test_a_trial_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "own_command", lambda: [str(tmp_path / "no such program")])
    assert "could not be tried out" in try_out(good(tmp_path)).message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_numbers_that_are_none(tmp_path: Path, value: float) -> None:
    path = constant_model(tmp_path / "odd.onnx", {"cells": np.full_like(CELLS, value)}, description=describe())
    report = try_out(path, threads=1)
    assert report.message == ""
    assert report.candidates <= 80


def test_a_million_boxes(tmp_path: Path) -> None:
    rows = np.tile(np.array([1, 2, 3, 4, 0.5, 0], np.float32), (1, 1_000_000, 1))
    report = try_out(constant_model(tmp_path / "many.onnx", {"output0": rows}), threads=1)
    assert report.message == ""
    assert report.candidates == 1000


def test_nothing_in_the_present_folder_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    assert try_out(good(tmp_path), threads=1).message == ""


def test_the_greedy_model_is_a_real_model(tmp_path: Path) -> None:
    """What the memory test refuses is refused for its size alone."""
    onnx.checker.check_model(greedy_model(tmp_path, 10))
    report = try_out(greedy_model(tmp_path, 1000), threads=1)
    assert "of no kind that edgecam knows" in report.message
