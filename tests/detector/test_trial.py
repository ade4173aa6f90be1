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
from onnx import TensorProto, helper

from edgecam.detector import trial
from edgecam.detector.description_json import complete
from edgecam.detector.loading import load_detector, passed
from edgecam.detector.records import Records, fingerprint
from edgecam.detector.trial import Report, try_out
from edgecam.errors import ModelError
from tests.tiny_models import constant_model, describe, gfl_cells, grey, write_model

if TYPE_CHECKING:
    from pathlib import Path

CELLS = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])[None]


def good(path: Path) -> Path:
    return constant_model(path / "good.onnx", {"cells": CELLS}, description=describe())


def doubling() -> onnx.GraphProto:
    """The body of a loop that doubles a number."""
    return helper.make_graph(
        [helper.make_node("Identity", ["yes"], ["go_on"]), helper.make_node("Add", ["x", "x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("yes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )


def looping_model(path: Path) -> Path:
    """A model that counts for years."""
    return write_model(
        path / "loop.onnx",
        [helper.make_node("Loop", ["count", "true", "image"], ["out"], body=doubling())],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": (None, "float32")},
        weights={"count": np.array(10**15), "true": np.array(True)},
    )


def treacherous_model(path: Path) -> Path:
    """A model that counts for years when it sees something white."""
    return write_model(
        path / "treacherous.onnx",
        [
            helper.make_node("ReduceMax", ["image"], ["brightest"], keepdims=0),
            helper.make_node("Div", ["brightest", "white"], ["share"]),
            helper.make_node("Floor", ["share"], ["is_white"]),
            helper.make_node("Cast", ["is_white"], ["number"], to=TensorProto.INT64),
            helper.make_node("Mul", ["number", "years"], ["count"]),
            helper.make_node("Loop", ["count", "true", "zero"], ["end"], body=doubling()),
            helper.make_node("Add", ["cells.value", "end"], ["cells"]),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"cells": (CELLS.shape, "float32")},
        weights={
            "years": np.array(10**15),
            "true": np.array(True),
            "white": np.array(255, np.float32),
            "zero": np.array(0, np.float32),
            "cells.value": CELLS,
        },
        metadata={"edgecam": describe().to_json()},
    )


def greedy_model(path: Path, numbers: int) -> Path:
    """A model that fills `numbers` floats. The size comes from its input, or the optimiser would fill them at once."""
    return write_model(
        path / "greedy.onnx",
        [
            helper.make_node("ReduceMax", ["image"], ["brightest"], keepdims=0),
            helper.make_node("Clip", ["brightest", "one", "one"], ["1.0"]),
            helper.make_node("Cast", ["1.0"], ["1"], to=TensorProto.INT64),
            helper.make_node("Mul", ["1", "size"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
            helper.make_node("Add", ["zeros", "one"], ["ones"]),
            helper.make_node("ReduceSum", ["ones"], ["out"], keepdims=0),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": ((), "float32")},
        weights={"one": np.array(1, np.float32), "size": np.array([numbers])},
    )


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


def test_a_model_that_hangs_later_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.detector.loading.RUN_LIMIT_S", 1.0)
    path = treacherous_model(tmp_path)
    detector = load_detector(path, Records(tmp_path / "models.json"), trusted=False, threads=1)
    assert len(detector(grey(64, 64)).candidates) == 1
    with pytest.raises(ModelError, match="did not finish one picture within 1 s"):
        detector(grey(64, 64, 255))
    assert len(detector(grey(64, 64)).candidates) == 1


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
    monkeypatch.setattr(trial, "_own_command", lambda: [sys.executable, "-c", code])
    report = try_out(good(tmp_path), seconds=20)
    assert message in report.message
    assert "\n" not in report.message


def test_a_trial_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_own_command", lambda: [str(tmp_path / "no such program")])
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


def test_who_passed_once_is_loaded_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, records = good(tmp_path), Records(tmp_path / "cache" / "models.json")
    assert len(load_detector(path, records, trusted=False, threads=1)(grey(64, 64)).candidates) == 1

    def not_again(*_: object, **__: object) -> Report:
        return Report("tried out again")

    monkeypatch.setattr("edgecam.detector.loading.try_out", not_again)
    load_detector(path, records, trusted=False, threads=1)
    path.with_suffix(".json").write_text('{"labels": ["a", "b"]}')
    with pytest.raises(ModelError, match="tried out again"):  # its sidecar is another one now
        load_detector(path, records, trusted=False, threads=1)
    assert load_detector(path, records, trusted=True, threads=1).labels == ("a", "b")


def test_a_model_that_fails_is_not_remembered(tmp_path: Path) -> None:
    records = Records(tmp_path / "models.json")
    path = constant_model(tmp_path / "bad.onnx", {"cells": CELLS[:, :, 1:]}, description=describe())
    for _ in range(2):
        with pytest.raises(ModelError, match="79 cells, expected 80"):
            passed(path, records, threads=1)
    assert records.find(fingerprint(path)) is None


BROKEN_RECORDS = (
    "",
    "[]",
    "{",
    '{"a": 1}',
    '{"made_by": "", "models": 1}',
    '{"made_by": "", "models": {"a": 1}}',
    '{"made_by": "", "models": {"a": {"seen": 1}}}',
    '{"made_by": "", "models": {"a": {"seen": [1]}}}',
    '{"made_by": "", "models": {"a": {"reasons": 1}}}',
)


def test_what_another_version_tried_out_is_tried_out_again(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    Records(path, "edgecam 1").add("a", Report(family="YOLOX"))
    assert Records(path, "edgecam 1").find("a") is not None
    assert Records(path, "edgecam 2").find("a") is None


@pytest.mark.parametrize("content", BROKEN_RECORDS)
def test_broken_records_count_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "models.json"
    path.write_text(content)
    records = Records(path)
    assert records.find("a") is None
    report = Report(family="YOLOX", input_hw=(3, 4), seen=(trial.Seen("cat", 0.5, (1.0, 2.0, 3.0, 4.0)),))
    records.add("a", report)
    assert records.find("a") == report


def test_records_on_a_disk_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    Records(tmp_path / "file" / "models.json").add("a", Report())
    assert "was not saved" in caplog.text


def test_the_greedy_model_is_a_real_model(tmp_path: Path) -> None:
    """What the memory test refuses is refused for its size alone."""
    onnx.checker.check_model(greedy_model(tmp_path, 10))
    report = try_out(greedy_model(tmp_path, 1000), threads=1)
    assert "of no kind that edgecam knows" in report.message
