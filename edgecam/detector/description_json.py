"""Reading descriptions from JSON that anybody may have written: each value is checked before it is used."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import TYPE_CHECKING, Any, TypeVar

from edgecam.detector.description import (
    FORMAT,
    Activation,
    BoxFormat,
    Decoder,
    Extra,
    InputSpec,
    Layout,
    ModelDescription,
    OutputSpec,
    Resize,
    Thresholds,
)
from edgecam.errors import ModelError

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Mapping

    Check = Callable[[Any], Any]

MAX_SIDE = 8192
MAX_LABELS = 100_000
MAX_NAME = 1000

Item = TypeVar("Item")


def parse(text: str, *, source: str) -> dict[str, Any]:
    """The JSON object in `text`, of our format; a missing format counts as ours where nothing else is said.

    Raises:
        ModelError: it is something else.
    """
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f"{source}: its description is not JSON ({error}).") from error
    if not isinstance(data, dict):
        raise ModelError(f"{source}: its description is {type(data).__name__}, not an object.")
    return data


def read_description(text: str, *, source: str) -> ModelDescription:
    """Reads what `ModelDescription.to_json` wrote. `source` names the file in messages.

    Raises:
        ModelError: not JSON, of a newer format, or a field is missing or of the wrong kind.
    """
    data = parse(text, source=source)
    if data.get("format") != FORMAT:
        raise ModelError(
            f"{source}: its description has format {data.get('format')!r}; this edgecam reads format {FORMAT}."
        )
    return complete(data, source=source)


def complete(data: Mapping[str, Any], *, source: str) -> ModelDescription:
    """The description that a JSON object holds.

    Raises:
        ModelError: a part is missing or of the wrong kind; the text names it.
    """
    for part in ("name", "input", "output", "labels"):
        if part not in data:
            raise ModelError(f"{source}: its description has no '{part}'.")
    parts = _checked(PARTS, data, source)
    return ModelDescription(
        name=parts["name"],
        input=InputSpec(**_checked(INPUT, parts["input"], source, "input.")),
        output=output_spec(parts["output"], source=source),
        labels=parts["labels"],
        thresholds=Thresholds(**_checked(THRESHOLDS, parts.get("thresholds", {}), source, "thresholds.")),
        precision=parts.get("precision", ""),
        provenance=parts.get("provenance", {}),
        accuracy=parts.get("accuracy", {}),
    )


def output_spec(data: Mapping[str, Any], *, source: str) -> OutputSpec:
    """The part of a description that says how outputs are read.

    Raises:
        ModelError: it names no decoder, or a part is of the wrong kind.
    """
    checked = _checked(OUTPUT, data, source, "output.")
    if "decoder" not in checked:
        raise ModelError(f"{source}: its description has no 'output.decoder'.")
    return OutputSpec(**checked)


def _checked(checks: Mapping[str, Check], data: Mapping[str, Any], source: str, place: str = "") -> dict[str, Any]:
    """The entries we know, checked; what a newer edgecam added is left out."""
    found = {}
    for key, check in checks.items():
        if key in data:
            try:
                found[key] = check(data[key])
            except (ValueError, TypeError, OverflowError) as error:
                shown = repr(data[key])[:60]
                raise ModelError(f"{source}: its description says '{place}{key}': {shown}; {error}.") from error
    return found


# Checks: each takes a value from JSON and gives it in our type, or raises ValueError saying what is wanted.


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def plain(text: str) -> str:
    """`text` without control characters: it comes from anybody, and goes to terminals and windows."""
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)


def _name(value: Any) -> str:
    text = plain(_text(value))
    if len(text) > MAX_NAME:
        raise ValueError(f"a text of at most {MAX_NAME} characters is wanted")
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false is wanted")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object is wanted")
    return value


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return value

    return check


def _number(low: float = -1e9, high: float = 1e9) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g} is wanted")
        return float(value)

    return check


def _one_of(*texts: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in texts:
            raise ValueError(f"one of {', '.join(texts)} is wanted")
        return value

    return check


def _member(kind: type[enum.StrEnum]) -> Check:
    texts = _one_of(*(member.value for member in kind))
    return lambda value: kind(texts(value))


def _list(item: Callable[[Any], Item], low: int, high: int) -> Callable[[Any], tuple[Item, ...]]:
    def check(value: Any) -> tuple[Item, ...]:
        if not isinstance(value, list | tuple) or not low <= len(value) <= high:
            raise ValueError(
                f"a list of {low} to {high} values is wanted" if low < high else f"{low} values are wanted"
            )
        return tuple(item(one) for one in value)

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _nonzero(value: Any) -> float:
    number = _number()(value)
    if number == 0 or not math.isfinite(255 / number):
        raise ValueError("a number other than 0 is wanted")
    return number


def _extras(value: Any) -> dict[str, Extra]:
    to_extra = _member(Extra)
    return {name: to_extra(kind) for name, kind in _object(value).items()}


_SIDE = _whole(1, MAX_SIDE)

PARTS: dict[str, Check] = {
    "name": _name,
    "input": _object,
    "output": _object,
    "labels": _list(_name, 0, MAX_LABELS),
    "thresholds": _object,
    "precision": _name,
    "provenance": _object,
    "accuracy": _object,
}
INPUT: dict[str, Check] = {
    "layout": _member(Layout),
    "color": _one_of("BGR", "RGB"),
    "dtype": _one_of("uint8", "int8", "float16", "float32"),
    "mean": _list(_number(), 3, 3),
    "std": _list(_nonzero, 3, 3),
    "resize": _member(Resize),
    "pad_value": _whole(0, 255),
    "stride": _whole(1, 1024),
    "height": _or_none(_SIDE),
    "width": _or_none(_SIDE),
    "sizes": _list(_list(_SIDE, 2, 2), 1, 100),
    "batched": _flag,
    "extra": _extras,
}
OUTPUT: dict[str, Check] = {
    "decoder": _member(Decoder),
    "names": _list(_text, 0, 100),
    "strides": _list(_whole(1, 1024), 1, 10),
    "bins": _whole(1, 256),
    "cell_offset": _number(-10, 10),
    "activation": _member(Activation),
    "rows": _flag,
    "objectness": _flag,
    "box": _member(BoxFormat),
    "normalized": _flag,
    "anchors": _list(_list(_list(_number(1e-6, 1e6), 2, 2), 1, 20), 0, 10),
    "columns": _list(_text, 0, 1000),
    "class_ids": _list(_whole(-1, MAX_LABELS), 0, MAX_LABELS),
}
THRESHOLDS: dict[str, Check] = {"score": _number(0, 1), "iou": _number(0, 1)}
