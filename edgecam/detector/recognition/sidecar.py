"""The sidecar: `NAME.json` beside `NAME.onnx` says what the file itself does not (of a bundled model, which may lie
where nobody can write, `bundled/NAME.json` in the user's folder of models).

It has the form of our own metadata (`ModelDescription.to_json`), and every part may be left out: `{"labels": ["cat",
"dog"]}` is a whole sidecar. A person's choice of name, labels and thresholds holds against any model; what concerns
input and output holds against guesses, not against a description that edgecam's own file carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecam.detector.description import FORMAT
from edgecam.detector.description_json import parse
from edgecam.errors import ModelError
from edgecam.stored_json import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIX = ".json"
MAX_BYTES = 16 << 20
NESTED = ("input", "output", "thresholds", "provenance", "accuracy")
PERSONAL = ("name", "labels", "thresholds")


def sidecar_path(model: Path) -> Path:
    return model.with_suffix(SUFFIX)


def read_sidecar(path: Path) -> dict[str, Any]:
    """The sidecar in `path`; empty where there is none.

    Raises:
        ModelError: it cannot be read, or is not of our form.
    """
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path}: the file is too large for a description of a model.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the file cannot be read ({error}).") from error
    data = parse(text, source=str(path))
    if data.get("format", FORMAT) != FORMAT:
        raise ModelError(f"{path}: it has format {data['format']!r}; this edgecam reads format {FORMAT}.")
    for key in NESTED:
        if key in data and not isinstance(data[key], dict):
            raise ModelError(f"{path}: '{key}' must be an object.")
    return data


def write_sidecar(path: Path, changes: Mapping[str, Any]) -> None:
    """Adds `changes` to the sidecar in `path`, whole or not at all; its folder is made.

    Raises:
        ModelError: the present one is broken, or the folder cannot be written to.
    """
    data = merged({"format": FORMAT, **read_sidecar(path)}, changes)
    try:
        write_json(path, data)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror or error}).") from error


def forget(path: Path, part: str) -> None:
    """Takes a part, such as "labels", out of the sidecar in `path`. What is empty then is deleted.

    Raises:
        ModelError: it is broken, or cannot be written.
    """
    data = read_sidecar(path)
    data.pop(part, None)
    try:
        if data.keys() <= {"format"}:
            path.unlink(missing_ok=True)
        else:
            write_json(path, data)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror or error}).") from error


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; of the nested parts, entry by entry."""
    result = dict(base)
    for key, value in changes.items():
        nested = key in NESTED and isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = {**base[key], **value} if nested else value
    return result
