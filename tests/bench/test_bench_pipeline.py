"""`edgecam bench pipeline`, short, with the real window off screen."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from edgecam.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEYS = {
    "throughput_saturated", "work_saturated", "model_idle", "throughput_paced", "work_paced", "throughput_file",
    "work_file", "slow_picture_rate", "slow_age_p95", "slow_memory_growth", "view_cpu", "panel_cpu", "idle_cpu",
    "start_to_picture", "imports",
}  # fmt: skip
OUTRUN = {"throughput_outrun", "work_outrun"}  # not of a model that is too small for it


def test_every_figure_is_measured(tiny_model: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [
        sys.executable, "-m", "edgecam", "bench", "pipeline", "--quick", "--duration", "3", "--platform", "offscreen",
        "--model", str(tiny_model), "--threads", "1", "--json", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    data = json.loads(report.read_text())
    figures = {figure["key"]: figure for figure in data["figures"]}
    assert (
        set(figures) - {"throughput_outrun", "work_outrun"} == KEYS
    )  # that one not of a model that is too small for it
    assert all(figure["value"] is not None for figure in figures.values())
    assert (done.returncode == 0) == all(figure["met"] is not False for figure in figures.values())
    assert data["machine"]["processor"]
    # What cannot be otherwise, however busy the machine is.
    assert 0 < figures["throughput_paced"]["value"] < 1.5
    assert figures["work_paced"]["value"] > 0.9  # a detection does what bare inference does, and more
    assert 0.3 < figures["slow_picture_rate"]["value"] < 1.1
    assert figures["slow_age_p95"]["value"] > 0
    assert figures["view_cpu"]["value"] > figures["idle_cpu"]["value"]
    assert 0 < figures["start_to_picture"]["value"] < 30
    assert "numpy" in figures["imports"]["note"]
    for figure in figures.values():
        assert figure["text"] in done.stdout


def test_a_short_soak(tiny_model: Path, tmp_path: Path) -> None:
    report = tmp_path / "soak.json"
    command = [
        sys.executable, "-m", "edgecam", "bench", "pipeline", "--only", "soak", "--duration", "6", "--platform",
        "offscreen", "--model", str(tiny_model), "--json", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    figures = {figure["key"]: figure for figure in json.loads(report.read_text())["figures"]}
    assert set(figures) == {"soak_memory_growth", "soak_threads", "soak_descriptors"}
    assert abs(figures["soak_descriptors"]["value"]) <= 5


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "pipeline", "--platform", "offscreen", "--model", "nothing"]) == 4
    assert "no model named 'nothing'" in capsys.readouterr().err


def test_no_display(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["bench", "pipeline"]) != 0
    told = capsys.readouterr().err
    assert "There is no display" in told
    assert "bench pipeline --platform offscreen" in told
