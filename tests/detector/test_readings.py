"""Models of no known family: which readings are offered, what each one finds, and what to write to have it taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecam.detector.decoders.candidates import Request
from edgecam.detector.decoding import decode
from edgecam.detector.description import BoxFormat, Decoder, OutputSpec
from edgecam.detector.detector import Detector
from edgecam.detector.loading import passed
from edgecam.detector.recognition.graph import Output
from edgecam.detector.recognition.match import Hints, Question
from edgecam.detector.recognition.reading import same_but_for_answers, with_box
from edgecam.detector.recognition.readings import MAX_READINGS, readings_of
from edgecam.detector.recognition.recognition import UnknownOutputs
from edgecam.detector.recognition.unknown import sidecar_for
from edgecam.detector.records import Records
from edgecam.errors import ModelError
from tests.tiny_models import constant_model, grey

if TYPE_CHECKING:
    from pathlib import Path

BOX = [32, 40, 48, 56]  # xyxy in the 64x64 pixels of the input


def filled(shape: tuple[int, ...], *values: tuple[tuple[int, ...], Any]) -> np.ndarray:
    """Zeros but for a value at each place, or several from there on along the axis that is not told (-1)."""
    array = np.zeros(shape, np.float32)
    for place, value in values:
        array[tuple(slice(0, len(value)) if axis == -1 else axis for axis in place)] = value
    return array


BOXES_4N = filled((1, 4, 50), ((0, -1, 7), BOX))
# outputs, the text of the reading that is right, its class count, what it finds
CASES: dict[str, tuple[dict[str, np.ndarray], str, int | None, int]] = {
    "columns": (
        {"o": filled((1, 9, 1000), ((0, -1, 20), [40, 48, 16, 16]), ((0, 6, 20), 0.9))},
        "1000 predictions, one per column: box, 5 class scores", 5, 2,
    ),
    "columns with objectness": (
        {"o": filled((1, 9, 1000), ((0, -1, 20), [40, 48, 16, 16, 1]), ((0, 6, 20), 0.9))},
        "1000 predictions, one per column: box, objectness, 4 class scores", 4, 1,
    ),
    "rows": (
        {"o": filled((1, 1000, 9), ((0, 20, -1), BOX), ((0, 20, 6), 0.9))},
        "1000 predictions: box, 5 class scores", 5, 2,
    ),
    "few of many classes": (
        {"o": filled((1, 300, 1207), ((0, 20, -1), BOX), ((0, 20, 4 + 1202), 0.9))},
        "300 predictions: box, 1203 class scores", 1203, 1202,
    ),
    "faces": (
        {"o": filled((1, 100, 5), ((0, 20, -1), [*BOX, 0.9]))},
        "100 predictions: box, 1 class score", 1, 0,
    ),
    "rows of eight": (
        {"o": filled((1, 30, 8), ((0, 2, -1), [*BOX, 0.9, 3]))},
        "Finished boxes: box, score, class, 2 more", None, 3,
    ),
    "rows of eight, class first": (
        {"o": filled((1, 30, 8), ((0, 2, -1), [3, 0.9, *BOX]))},
        "Finished boxes: class, score, box, 2 more", None, 3,
    ),
    "boxes in columns": (
        {"a": BOXES_4N, "b": filled((1, 3, 50), ((0, 1, 7), 0.9))},
        "50 boxes in 'a', 3 class scores each in 'b'", 3, 1,
    ),
    "boxes and one score each": (
        {"b": filled((1, 50), ((0, 7), 0.9)), "a": filled((1, 50, 4), ((0, 7, -1), BOX))},
        "50 boxes in 'a', 1 class score each in 'b'", 1, 0,
    ),
    "boxes with key points": (
        {"a": filled((1, 90, 14), ((0, 7, -1), BOX)), "b": filled((1, 90, 1), ((0, 7), 0.9))},
        "90 boxes in 'a', 1 class score each in 'b'", 1, 0,
    ),
    "three lists": (
        {
            "a": filled((1, 50, 4), ((0, 7, -1), BOX)), "b": filled((1, 50), ((0, 7), 5), ((0, 9), 7)),
            "c": filled((1, 50), ((0, 7), 1)),
        },
        "Finished boxes in 'a', scores in 'c', classes in 'b'", None, 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_right_reading_is_offered_and_finds_the_box(tmp_path: Path, name: str) -> None:
    outputs, text, classes, found_class = CASES[name]
    path = constant_model(tmp_path / "odd.onnx", outputs)
    with pytest.raises(UnknownOutputs, match=r"of no kind that edgecam knows: .*; `edgecam models check`") as raised:
        Detector(path, threads=1)
    recognition = raised.value.recognition
    assert Question.DECODER in recognition.questions
    reading = next(one for one in recognition.readings if one.text == text)
    assert reading.classes == classes
    (tmp_path / "odd.json").write_text(json.dumps(sidecar_for(recognition, reading)))
    detector = Detector(path, threads=1)
    found = detector(grey(64, 64)).candidates
    assert found.boxes.tolist() == [BOX]
    assert found.scores.tolist() == pytest.approx([1 if name == "three lists" else 0.9])
    assert found.class_ids.tolist() == [found_class]
    assert detector.recognition.family == "what its sidecar says"
    assert Question.LABELS in detector.recognition.questions
    assert len(detector.labels) == (classes or 80)
    assert text in [one.text for one in detector.recognition.readings]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"o": np.zeros((1, 1000), np.float32)}, "a model gives that sorts pictures"),
        ({"o": np.zeros((1, 21, 64, 64), np.float32)}, "a model gives that colours pixels"),
        ({"o": np.zeros((1, 3), np.float32), "p": np.zeros((1, 7), np.int64)}, "a model gives that sorts pictures"),
        ({"o": np.zeros((2, 3, 5), np.float32)}, "cannot be boxes with scores and classes"),
        ({"o": np.zeros((3, 4), np.float32)}, "cannot be boxes with scores and classes"),
    ],
)
def test_where_no_reading_fits_it_is_said(tmp_path: Path, outputs: dict[str, np.ndarray], message: str) -> None:
    path = constant_model(tmp_path / "odd.onnx", outputs)
    with pytest.raises(ModelError, match=message) as raised:
        Detector(path, threads=1)
    assert not isinstance(raised.value, UnknownOutputs)


def test_the_trial_hands_the_readings_on(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "odd.onnx", CASES["columns"][0])
    with pytest.raises(UnknownOutputs) as here:
        Detector(path, threads=1)
    records = Records(tmp_path / "records.json")
    with pytest.raises(UnknownOutputs) as there:
        passed(path, records, threads=1)
    assert there.value.recognition == here.value.recognition
    assert str(there.value) == str(here.value)
    assert not (tmp_path / "records.json").exists()
    (tmp_path / "odd.json").write_text(json.dumps(sidecar_for(*_first(there.value))))
    assert passed(path, records, threads=1).message == ""


def _first(unknown: UnknownOutputs) -> tuple[Any, Any]:
    return unknown.recognition, unknown.recognition.readings[0]


def test_known_labels_bring_the_reading_of_that_many_to_the_front(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "odd.onnx", CASES["columns"][0], metadata={"names": "['a', 'b', 'c', 'd']"})
    with pytest.raises(UnknownOutputs) as raised:
        Detector(path, threads=1)
    assert raised.value.recognition.readings[0].text.endswith("objectness, 4 class scores")
    assert raised.value.recognition.description.labels == ("a", "b", "c", "d")


def test_open_axes_that_are_none_are_fixed(tmp_path: Path) -> None:
    """The constant outputs of a grid fit one size only."""
    path = constant_model(
        tmp_path / "odd.onnx", {"o": np.zeros((1, 4, 7), np.float32)}, input_shape=(1, 3, "h", "w"),
        metadata={"imgsz": "64"},
    )  # fmt: skip
    sidecar = {"labels": ["a", "b"], "output": {"decoder": "grid", "names": ["o"], "strides": [32], "rows": True,
        "objectness": True}}  # fmt: skip
    (tmp_path / "odd.json").write_text(json.dumps(sidecar))
    spec = Detector(path, threads=1).description.input
    assert (spec.height, spec.width) == (64, 64)


def test_what_a_sidecar_must_say_where_no_reading_is_as_it_says(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "odd.onnx", CASES["columns"][0])
    (tmp_path / "odd.json").write_text(json.dumps({"output": {"decoder": "lists", "names": ["o"]}}))
    with pytest.raises(ModelError, match="names no labels"):
        Detector(path, threads=1)


def test_never_too_many_readings() -> None:
    arrays = {f"o{i}": np.zeros((1, 50, width), np.float32) for i, width in enumerate([4, 5, 6, 8, 9, 1, 1, 3])}
    outputs = [Output.of(name, array) for name, array in arrays.items()]
    assert len(readings_of(outputs, Hints((64, 64)))) == MAX_READINGS


@pytest.mark.parametrize(
    ("box", "columns"),
    [
        (BoxFormat.XYXY, ("class", "x1", "y1", "x2", "y2", "score", "")),
        (BoxFormat.YXYX, ("class", "y1", "x1", "y2", "x2", "score", "")),
        (BoxFormat.XYWH, ("class", "x1", "y1", "w", "h", "score", "")),
        (BoxFormat.CXCYWH, ("class", "cx", "cy", "w", "h", "score", "")),
    ],
)
def test_finished_boxes_of_any_four_numbers(box: BoxFormat, columns: tuple[str, ...]) -> None:
    spec = OutputSpec(Decoder.ROWS, columns=with_box(("class", "cx", "cy", "w", "h", "score", ""), box))
    assert spec.columns == columns
    numbers = {
        BoxFormat.XYXY: BOX,
        BoxFormat.YXYX: [40, 32, 56, 48],
        BoxFormat.XYWH: [32, 40, 16, 16],
        BoxFormat.CXCYWH: [40, 48, 16, 16],
    }[box]
    row = np.array([[[3, *numbers, 0.0, 9]]], np.float32)  # a logit of 0 is a score of 0.5
    found = decode([row], spec, Request((64, 64)))
    assert (found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist()) == ([BOX], [0.5], [3])


def test_finished_boxes_without_a_class_are_all_of_the_first() -> None:
    spec = OutputSpec(Decoder.ROWS, columns=("x1", "y1", "x2", "y2", "score"))
    found = decode([np.array([[*BOX, 5.0]], np.float32)], spec, Request((64, 64)))
    assert (found.boxes.tolist(), found.class_ids.tolist()) == ([BOX], [0])


def test_answers_do_not_make_another_reading() -> None:
    one = OutputSpec(Decoder.ROWS, ("o",), columns=("x1", "y1", "x2", "y2", "score", "class"))
    other = OutputSpec(Decoder.ROWS, ("o",), columns=("cx", "cy", "w", "h", "score", "class"), normalized=True)
    assert same_but_for_answers(one, other)
    assert not same_but_for_answers(
        one, OutputSpec(Decoder.ROWS, ("o",), columns=("score", *other.columns[:4], "class"))
    )
