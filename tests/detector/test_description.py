"""The description: there and back, and every kind of broken JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecam.detector.description import Resize
from edgecam.detector.description_json import read_description
from edgecam.errors import ModelError
from tests.tiny_models import describe

GOOD: dict[str, Any] = json.loads(describe().to_json())


def test_there_and_back() -> None:
    for description in (describe(), describe("größer", labels=["猫", "सड़क"], resize=Resize.STRETCH, mean=(1, 2, 3))):
        assert read_description(description.to_json(), source="here") == description


def test_a_minimal_one_has_defaults() -> None:
    text = json.dumps({"format": 1, "name": "m", "input": {}, "output": {"decoder": "gfl"}, "labels": []})
    found = read_description(text, source="here")
    assert found.input.sizes == ((320, 320),)
    assert found.thresholds.score == 0.4


def test_what_a_newer_edgecam_adds_is_ignored() -> None:
    data = GOOD | {"novelty": 1, "input": GOOD["input"] | {"novelty": 2}, "output": GOOD["output"] | {"novelty": 3}}
    assert read_description(json.dumps(data), source="here") == describe()


def test_control_characters_go_and_scripts_stay() -> None:
    text = changed("labels", to=["\x1b]0;gotcha\x07", "a\nb", "क्\u200dष", "👩\u200d🌾"])
    assert read_description(text, source="here").labels == (" ]0;gotcha ", "a b", "क्\u200dष", "👩\u200d🌾")


def changed(*path: str, to: Any) -> str:
    data = json.loads(json.dumps(GOOD))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return json.dumps(data)


def without(key: str) -> str:
    return json.dumps({name: value for name, value in GOOD.items() if name != key})


BROKEN = {
    "not JSON": "{",
    "empty": "",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "no format": without("format"),
    "newer format": changed("format", to=99),
    "no name": without("name"),
    "no input": without("input"),
    "no output": without("output"),
    "no labels": without("labels"),
    "a name without end": changed("name", to="x" * 10_000),
    "labels a number": changed("labels", to=3),
    "input a list": changed("input", to=[1]),
    "output a text": changed("output", to="gfl"),
    "unknown layout": changed("input", "layout", to="HWC"),
    "unknown colour": changed("input", "color", to="GRB"),
    "unknown dtype": changed("input", "dtype", to="complex64"),
    "unknown resize": changed("input", "resize", to="crop"),
    "mean of two": changed("input", "mean", to=[1, 2]),
    "mean a text": changed("input", "mean", to="abc"),
    "std of zero": changed("input", "std", to=[0, 1, 1]),
    "std not a number": changed("input", "std", to=[float("nan"), 1, 1]),
    "mean without end": changed("input", "mean", to=[float("inf"), 1, 1]),
    "no size": changed("input", "sizes", to=[]),
    "sizes of one": changed("input", "sizes", to=[[320]]),
    "size 0": changed("input", "sizes", to=[[0, 320]]),
    "giant size": changed("input", "sizes", to=[[10**6, 10**6]]),
    "giant fixed size": changed("input", "height", to=10**9),
    "fixed size a text": changed("input", "height", to="64"),
    "stride 0": changed("input", "stride", to=0),
    "stride a text": changed("input", "stride", to="32"),
    "pad too bright": changed("input", "pad_value", to=256),
    "pad a text": changed("input", "pad_value", to="grey"),
    "no decoder": changed("output", to={}),
    "unknown decoder": changed("output", "decoder", to="magic"),
    "unknown activation": changed("output", "activation", to="tanh"),
    "bins 0": changed("output", "bins", to=0),
    "bins a text": changed("output", "bins", to="8"),
    "stride of a level 0": changed("output", "strides", to=[0]),
    "no level": changed("output", "strides", to=[]),
    "cell offset a text": changed("output", "cell_offset", to="half"),
    "threshold a text": changed("thresholds", "score", to="high"),
    "threshold above 1": changed("thresholds", "score", to=1.5),
    "thresholds a number": changed("thresholds", to=1),
    "provenance a text": changed("provenance", to="mine"),
    "very deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_one_message(text: str) -> None:
    with pytest.raises(ModelError, match=r"^somewhere\.onnx: "):
        read_description(text, source="somewhere.onnx")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=6,
)
PLACES = [(key,) for key in GOOD] + [("input", k) for k in GOOD["input"]] + [("output", k) for k in GOOD["output"]]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_anything_anywhere_is_read_or_refused(place: tuple[str, ...], value: Any) -> None:
    try:
        found = read_description(changed(*place, to=value), source="here")
    except ModelError:
        return
    assert read_description(found.to_json(), source="here") == found
