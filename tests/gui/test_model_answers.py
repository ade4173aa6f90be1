"""What a person's answers mean in a model's description."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edgecam.detector.description import Decoder, Resize
from edgecam.detector.description_json import complete
from edgecam.detector.recognition.anchor_heads import ANCHORS_V5, ANCHORS_V7
from edgecam.detector.recognition.efficientdet import STRIDES, efficientdet_anchors
from edgecam.detector.recognition.sidecar import merged
from edgecam.gui.models.answers import SCALINGS, Answers, anchor_choices, parse_label_lines
from tests.tiny_models import describe

GIVEN = describe(color="BGR", mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395))
OPEN = describe(height=None, width=None, sizes=((320, 320),), std=(255.0,) * 3)


def test_answers_of_a_description() -> None:
    assert Answers.of(GIVEN) == Answers("BGR", 4, Resize.LETTERBOX, None, ("cat", "dog"))
    assert Answers.of(OPEN).input_hw == (320, 320)
    assert Answers.of(describe(std=(3.0, 4.0, 5.0))).scaling == -1


@pytest.mark.parametrize(
    ("changes", "sidecar"),
    [
        ({}, {}),
        ({"resize": Resize.STRETCH}, {"input": {"resize": "stretch"}}),
        ({"labels": ("a", "b")}, {"labels": ["a", "b"]}),
        (
            {"color": "RGB"},
            {"input": {"color": "RGB", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}},
        ),
        ({"scaling": 1}, {"input": {"color": "BGR", "mean": [0, 0, 0], "std": [1, 1, 1]}}),
    ],
)
def test_only_what_changed_is_written(changes: dict, sidecar: dict) -> None:
    before = Answers.of(GIVEN)
    assert replace(before, **changes).sidecar(before) == sidecar


def test_size_and_anchors() -> None:
    before = Answers.of(OPEN)
    assert replace(before, input_hw=(640, 416)).sidecar(before) == {"input": {"sizes": [[640, 416]]}}
    before = Answers.of(describe(decoder=Decoder.ANCHORS, anchors=ANCHORS_V5))
    assert before.anchors == ANCHORS_V5
    changed = merged(describe(decoder=Decoder.ANCHORS).to_dict(), replace(before, anchors=ANCHORS_V7).sidecar(before))
    assert complete(json.loads(json.dumps(changed)), source="here").output.anchors == ANCHORS_V7


def test_the_anchors_of_efficientdet_come_in_two_scales() -> None:
    given = describe(decoder=Decoder.OFFSETS, strides=STRIDES, anchors=efficientdet_anchors((64, 64), 4.0))
    (small, _), (large, _) = anchor_choices(given)
    before = Answers.of(given)
    assert before.anchors == large
    assert replace(before, anchors=large).sidecar(before) == {}
    changed = merged(given.to_dict(), replace(before, anchors=small).sidecar(before))
    assert complete(json.loads(json.dumps(changed)), source="here").output.anchors == small
    assert small[0][0] == (24.0, 24.0)
    assert anchor_choices(GIVEN) == ()


@pytest.mark.parametrize("scaling", range(len(SCALINGS)))
@pytest.mark.parametrize("color", ["RGB", "BGR"])
def test_what_is_confirmed_comes_back(scaling: int, color: str) -> None:
    wanted = Answers(color, scaling, Resize.LETTERBOX_TOP_LEFT, None, ("x", "y"))
    again = complete(merged(GIVEN.to_dict(), wanted.confirmed()), source="here")
    assert Answers.of(again) == wanted


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("a\nb", ("a", "b")),
        (" a \r\nb\n\n\n", ("a", "b")),
        ("a\n\nc", ("a", "class 1", "c")),
        ("", ()),
        ("犬\nदो शब्द", ("犬", "दो शब्द")),
    ],
)
def test_label_lines(text: str, labels: tuple[str, ...]) -> None:
    assert parse_label_lines(text) == labels
