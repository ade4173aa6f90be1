"""Every command that opens a model tries a stranger's out in a process of its own, and only once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.cli import EXIT_MODEL, main
from edgecam.detector import loading
from edgecam.detector.trial import try_out
from tests.hostile_models import good

if TYPE_CHECKING:
    from pathlib import Path

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
