"""Every command that opens a model tries a stranger's out in a process of its own, and only once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from edgecam.cli import EXIT_MODEL, main
from edgecam.detector import loading
from edgecam.detector.session import open_session, run_session
from edgecam.detector.trial import try_out
from tests.hostile_models import good

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.detector.limits import Limits
    from edgecam.detector.onnx_file import OnnxFile
    from edgecam.detector.report import Report

DOORS = {
    "run": ["run", "pattern", "--headless", "--frames", "1", "--model", "FILE"],
    "bench": ["bench", "--model", "FILE", "--threads", "1", "--rounds", "1"],
    "models check": ["models", "check", "FILE"],
    "models add": ["models", "add", "FILE"],
    "selftest": ["selftest", "--model", "FILE", "--frames", "1"],
}


@pytest.mark.parametrize("words", DOORS.values(), ids=DOORS)
def test_a_model_that_kills_its_trial_goes_no_further(
    tmp_path: Path,
    own_home: Path,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = good(tmp_path)
    monkeypatch.setattr("edgecam.detector.trial.own_command", lambda: ["sh", "-c", "kill -SEGV $$"])

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened in this process")

    monkeypatch.setattr("edgecam.detector.detector.open_session", never)
    assert main([str(path) if word == "FILE" else word for word in words]) == EXIT_MODEL
    assert "its process died of SIGSEGV" in capsys.readouterr().err


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that were tried out, in order."""
    tried: list[str] = []

    def counted(path: Path, **options: Any) -> Report:
        tried.append(path.name)
        return try_out(path, **options)

    monkeypatch.setattr(loading, "try_out", counted)
    return tried


def test_who_passed_is_not_tried_again_by_other_commands(
    tmp_path: Path, own_home: Path, trials: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = good(tmp_path)
    for _ in range(2):
        for words in (DOORS["run"], DOORS["bench"]):
            assert main([str(path) if word == "FILE" else word for word in words]) == 0
    assert trials == ["good.onnx"]


@pytest.mark.parametrize("door", ["run", "bench", "fit", "evaluate", "selftest"])
def test_whoever_opens_a_users_model_runs_it_with_limits(
    tmp_path: Path, own_home: Path, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    monkeypatch.setattr("edgecam.resources.models_folder", lambda: bundled)
    good(bundled)
    library = own_home / "data" / "edgecam" / "models"
    library.mkdir(parents=True)
    own = good(library).rename(library / "mine.onnx")
    runs: dict[bool, list[Limits | None]] = {True: [], False: []}
    paths: dict[int, Path] = {}

    def opened(file: OnnxFile, path: Path, **options: Any) -> Any:
        session = open_session(file, path, **options)
        paths[id(session)] = path
        return session

    def counted(session: Any, names: list[str], feed: dict[str, Any], **options: Any) -> list[Any]:
        runs[paths[id(session)].is_relative_to(bundled)].append(options["limits"])
        return run_session(session, names, feed, **options)

    monkeypatch.setattr("edgecam.detector.detector.open_session", opened)
    monkeypatch.setattr("edgecam.detector.detector.run_session", counted)
    photograph = {"images": [{"id": 1, "file_name": "p.png", "width": 64, "height": 64}],
                  "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
                  "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [9, 9, 9, 9], "area": 81,
                                   "iscrowd": 0}]}  # fmt: skip
    (tmp_path / "truth.json").write_text(json.dumps(photograph))
    cv2.imwrite(str(tmp_path / "p.png"), np.full((64, 64, 3), 90, np.uint8))
    words = {
        **DOORS,
        "fit": ["fit", "--rounds", "1", "--threads", "1"],
        "evaluate": ["evaluate", "FILE", str(tmp_path / "truth.json"), "--images", str(tmp_path), "--threads", "1"],
    }[door]
    for path in (own, bundled / "good.onnx"):  # whether the little model passes or not
        assert main([str(path) if word == "FILE" else word for word in words]) in {0, 1}
    assert runs[False]
    assert None not in runs[False]
    assert runs[True]
    assert set(runs[True]) == {None}


def test_fit_and_doctor_try_out_the_users_models(
    tmp_path: Path,
    own_home: Path,
    trials: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundled, own = tmp_path / "bundled", own_home / "data" / "edgecam" / "models"
    bundled.mkdir()
    own.mkdir(parents=True)
    good(bundled)
    good(own).rename(own / "mine.onnx")
    monkeypatch.setattr("edgecam.resources.models_folder", lambda: bundled)
    main(["doctor", "--json"])
    findings = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["what"].startswith("Model ")]
    assert [(one["what"], one["verdict"]) for one in findings] == [("Model good", "ok"), ("Model mine", "ok")]
    assert trials == ["mine.onnx"]
    main(["fit", "--rounds", "1", "--threads", "1"])
    assert "mine" in capsys.readouterr().out
    assert trials == ["mine.onnx", "mine.onnx"]  # once more at the size that `fit` measures it at
