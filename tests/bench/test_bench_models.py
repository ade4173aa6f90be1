"""`edgecam bench`: models against each other."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.bench import models
from edgecam.bench.models import Case, CaseResult, measure_models
from edgecam.bench.models_picture import _COLOURS, _ticks, picture
from edgecam.bench.models_report import comparison, models_table, read_results
from edgecam.cli import main
from edgecam.detector.model_library import ModelEntry
from edgecam.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.detector.inference import Inference

IMAGES = [np.full((72, 128, 3), shade, np.uint8) for shade in range(3)]
RESULT = CaseResult("net", 1, (256, 416), 20.0, 25.0, 18.0, 49.0, 99.0, 40.0, 1.0, 27.4, "fp32")


def test_cases_are_measured_in_turns_against_the_first(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[int] = []

    class Paced(models.Detector):  # type: ignore[name-defined]
        """Takes 4 ms with one thread and 2 ms with two."""

        def __call__(self, image: np.ndarray, *turn: object, floor: float = 0.0) -> Inference:
            order.append(self.threads)
            inference = super().__call__(image, floor=floor)
            time.sleep(0.008 / self.threads)
            return inference

    monkeypatch.setattr(models, "Detector", Paced)
    entry = ModelEntry("tiny", tiny_model, bundled=True, sidecar=tiny_model.with_suffix(".json"))
    cases = [Case(entry, threads) for threads in (1, 2)]
    one, two = measure_models(cases, IMAGES, rounds=6, slice_s=0.05)
    assert (one.threads, two.threads) == (1, 2)
    assert one.ratio == 1.0
    assert two.ratio == pytest.approx(2.0, rel=0.3)
    assert one.median_ms == pytest.approx(8.2, rel=0.3)
    assert one.median_ms <= one.p95_ms
    assert one.per_second == pytest.approx(1000 / one.median_ms, rel=0.3)
    assert one.inference_ms < 5
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert changes >= 5  # they took turns


def test_a_table_json_and_back(tmp_path: Path) -> None:
    other = replace(RESULT, model="other", median_ms=10.0, ratio=2.0, accuracy=None)
    lines = models_table([RESULT, other]).splitlines()
    assert lines[1].split() == ["net", "416", "×", "256", "1", "20.0", "25.0", "18.0", "49.0", "99", "%", "40", "27.4",
                                "1.00"]  # fmt: skip
    assert lines[2].split()[-2:] == ["–", "2.00"]
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"machine": {"edgecam": "0"}, "cases": [RESULT.to_json()]}))
    assert read_results(path) == ({"edgecam": "0"}, [RESULT])


def test_comparison_with_an_earlier_run() -> None:
    now = [replace(RESULT, median_ms=10.0), replace(RESULT, threads=4)]
    machine = {"edgecam": "0.1", "processor": "Pi 5"}
    text = comparison(now, [RESULT, replace(RESULT, model="gone")], machine, {"processor": "Pi 5"})
    lines = text.splitlines()
    assert "edgecam 0.1 on Pi 5" in lines[0]
    assert lines[2].split()[-3:] == ["20.0", "10.0", "2.00"]
    assert lines[3].split()[-1] == "new"
    assert lines[4] == "1 other case of then not measured now."
    assert "another processor" in comparison(now, [RESULT], machine, {"processor": "Pi 4"})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": {}, "cases": [{}]}', "not json"])
def test_a_file_that_is_no_earlier_run(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x\.json"):
        read_results(path)
    with pytest.raises(DataError):
        read_results(tmp_path / "none.json")


def painted(results: list[CaseResult], colour: tuple[int, int, int], rows: slice = slice(None)) -> int:
    """Pixels of a colour in the chart, without the legend."""
    return int((picture(results, "title")[rows, :760] == np.array(colour)).all(axis=2).sum())


@pytest.mark.parametrize("accuracy", [None, 40.0])
def test_the_picture_has_a_point_for_each_case(accuracy: float | None) -> None:
    one = [replace(RESULT, accuracy=accuracy)]
    two = [*one, replace(RESULT, model="other", median_ms=5.0, accuracy=accuracy)]
    assert painted(one, _COLOURS[1]) == 0
    assert painted(two, _COLOURS[1]) > 80


def test_a_case_whose_accuracy_is_not_known_is_shown_apart() -> None:
    known, unknown = replace(RESULT, accuracy=30.0), replace(RESULT, model="other", accuracy=None)
    strip = slice(530 - 46, 530)
    assert painted([known, unknown], _COLOURS[0], strip) == 0
    assert painted([known, unknown], _COLOURS[1], strip) == painted([known, unknown], _COLOURS[1]) > 80


def test_many_cases_have_room() -> None:
    many = [replace(RESULT, model=f"net {i}", median_ms=10.0 + i % 7, accuracy=20.0) for i in range(60)]
    assert picture(many, "title").shape[0] > 60 * 19


@pytest.mark.parametrize(
    ("largest", "last"),
    [(0.004, 0.005), (1.0, 1.2), (25.0, 30.0), (99.0, 100.0), (208.0, 250.0), (1000.0, 1200.0), (4999.0, 5000.0)],
)
def test_axes_have_round_numbers(largest: float, last: float) -> None:
    ticks = _ticks(largest)
    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(last)
    assert 4 <= len(ticks) <= 8


def test_the_command(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, image = tmp_path / "first.json", tmp_path / "speed.png"
    options = ["bench", "--model", str(tiny_model), "--threads", "1,2", "--rounds", "1", "--all-sizes"]
    assert main([*options, "--json", str(first), "--picture", str(image)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[:3] == ["model", "input", "threads"]
    assert len(json.loads(first.read_text())["cases"]) == 2
    assert cv2.imread(str(image)) is not None
    assert main([*options, "--compare", str(first)]) == 0
    assert "Compared with" in capsys.readouterr().out
    assert main([*options, "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["cases"]) == 2
    assert main([*options, "--picture", str(tmp_path / "no" / "folder.png")]) == 1
    assert main([*options, "--compare", str(tmp_path / "none.json")]) == 1
