"""What a file tells of its accuracy, and what of it holds at a size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from edgecam import resources
from edgecam.bench.accuracy import AccuracyAt, Known, accuracy_at, accuracy_text, first_number
from edgecam.detector.detector import Detector
from edgecam.detector.model_library import ModelLibrary

if TYPE_CHECKING:
    from pathlib import Path

OWN = (320, 320)
THREE = {
    "192x320": {"coco": {"AP": 20.0}},
    "320x320": {"coco": {"AP": 25.0}},
    "640x640": {"AP": 35.0},
    "arm": {"x": 400},
}


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        ({}, None),
        ({"coco": {"note": "x", "AP": 27.4, "AP50": 44}}, 27.4),
        ({"done": True, "AP": 3}, 3.0),
        ([{"AP": 1.5}], 1.5),
        ("text", None),
        ({"AP": 10**400}, None),
        ({"AP": math.nan, "AP50": 40.0}, 40.0),
        ({"AP": math.inf}, None),
    ],
)
def test_the_first_figure_of_free_json(accuracy: object, expected: float | None) -> None:
    assert first_number(accuracy) == expected


@pytest.mark.parametrize(
    ("hw", "expected"),
    [
        ((320, 320), AccuracyAt(25.0, Known.MEASURED)),
        ((256, 416), AccuracyAt(25.0, Known.MEASURED)),  # costs the same
        ((320, 192), AccuracyAt(20.0, Known.MEASURED)),
        ((640, 640), AccuracyAt(35.0, Known.MEASURED)),
        ((160, 160), AccuracyAt()),  # smaller than all that was measured
        ((800, 800), AccuracyAt()),
    ],
    ids=str,
)
def test_what_was_measured_holds_for_its_size_alone(hw: tuple[int, int], expected: AccuracyAt) -> None:
    assert accuracy_at(THREE, hw, OWN) == expected


def test_between_two_sizes_it_lies_between_and_is_marked() -> None:
    at = accuracy_at(THREE, (448, 448), OWN)
    assert at.known is Known.BETWEEN
    # 448 is nearly half way from 320 to 640, as sizes multiply.
    assert at.value == pytest.approx(25 + 10 * math.log(448 / 320) / math.log(2))
    assert accuracy_text(at) == "≈ 29.9"


def test_figures_of_shaped_inputs_are_not_mixed_with_those_of_square_ones() -> None:
    both = {"320x320": {"AP": 25.0}, "320x320 shaped": {"AP": 26.1}, "192x320 shaped": {"AP": 24.4}}
    assert accuracy_at(both, OWN, OWN) == AccuracyAt(26.1, Known.MEASURED)
    assert accuracy_at(both, (192, 320), OWN) == AccuracyAt(24.4, Known.MEASURED)
    assert accuracy_at({**both, "416x416": {"AP": 28.0}}, (416, 416), OWN) == AccuracyAt()


def test_what_names_no_size_holds_for_the_models_own() -> None:
    plain: dict[str, Any] = {"coco": {"AP": 27.0}}
    assert accuracy_at(plain, OWN, OWN) == AccuracyAt(27.0, Known.MEASURED)
    assert accuracy_at(plain, (416, 416), OWN) == AccuracyAt()
    assert accuracy_at({}, OWN, OWN) == AccuracyAt()


@pytest.mark.parametrize("hostile", [{"0x0": 1}, {"9" * 5000 + "x1": 1}, {"320x320": {}}, {"320x320": None}])
def test_nonsense_is_unknown(hostile: dict[str, Any]) -> None:
    assert accuracy_at(hostile, (640, 640), (640, 640)).known is not Known.BETWEEN


@pytest.mark.parametrize(
    ("at", "text"),
    [(AccuracyAt(), "–"), (AccuracyAt(24.71, Known.MEASURED), "24.7"), (AccuracyAt(24.71, Known.BETWEEN), "≈ 24.7")],
)
def test_as_tables_show_it(at: AccuracyAt, text: str) -> None:
    assert accuracy_text(at) == text


def test_the_bundled_models_tell_theirs_at_their_own_size(tmp_path: Path) -> None:
    for entry in ModelLibrary(resources.models_folder(), tmp_path).entries():
        description = Detector(entry.path, threads=1).description
        own = description.input.sizes[0]
        at = accuracy_at(description.accuracy, own, own)
        assert at.known is Known.MEASURED
        assert at.value is not None
        assert 10 < at.value < 60  # AP, not the number of photographs, nor of instructions
