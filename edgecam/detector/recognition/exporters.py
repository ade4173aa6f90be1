"""What exporters write into a model's metadata: Ultralytics (YOLOv5 and later) and those who follow its keys."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgecam.detector.description_json import MAX_LABELS, MAX_NAME, plain
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL_KEYS = ("names", "class_names", "classes", "labels")
# What else a model may have learned to do; its boxes are not upright boxes of classes.
OTHER_TASKS = {"classify": "sorts whole pictures", "obb": "finds turned boxes", "semantic": "colours pixels"}

_ENTRY = re.compile(r"""(?:(\d+)\s*:\s*)?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Exported:
    """What the exporter says; empty where it says nothing.

    Attributes:
        input_hw: the size it was exported for.
        stride: input sides must be multiples of it.
        provenance: licence, author and the like, to be shown.
    """

    labels: tuple[str, ...] = ()
    input_hw: tuple[int, int] | None = None
    stride: int | None = None
    provenance: dict[str, str] = field(default_factory=dict)


def read_exported(metadata: Mapping[str, str], *, source: str) -> Exported:
    """The facts in an exporter's metadata; what cannot be read counts as not said.

    Raises:
        ModelError: it says that the model is no detector of upright boxes.
    """
    task = metadata.get("task", "")
    if task in OTHER_TASKS:
        raise ModelError(f"{source}: this model {OTHER_TASKS[task]} (task '{task}'); edgecam shows upright boxes.")
    texts = next((metadata[key] for key in LABEL_KEYS if metadata.get(key)), "")
    sides = [int(side) for side in re.findall(r"\d{1,6}", metadata.get("imgsz", ""))]
    sides = sides * 2 if len(sides) == 1 else sides
    input_hw = (sides[0], sides[1]) if len(sides) == 2 and all(32 <= side <= 8192 for side in sides) else None
    numbers = [int(value) for value in re.findall(r"\d{1,4}", metadata.get("stride", ""))]
    shown = {"description": "description", "author": "author", "license": "licence", "version": "exporter version"}
    provenance = {name: plain(metadata[key])[:300] for key, name in shown.items() if metadata.get(key)}
    return Exported(parse_labels(texts), input_hw, max(numbers, default=0) or None, provenance)


def parse_labels(text: str) -> tuple[str, ...]:
    """Class names from JSON, a list or dict as Python prints it, lines, or names between commas; () if none of these.

    Nothing is evaluated: the text may come from anybody.
    """
    return tuple(plain(name)[:MAX_NAME] for name in _labels_in(text.strip())[:MAX_LABELS])


def _labels_in(text: str) -> tuple[str, ...]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and all(isinstance(item, str) for item in data):
        return tuple(data)
    if text[:1] in {"[", "{", "("}:
        return _literal(text)
    names = text.splitlines() if "\n" in text else text.split(",")
    return tuple(name.strip() for name in names if name.strip())


def _literal(text: str) -> tuple[str, ...]:
    entries = [(number, _unescape(name[1:-1])) for number, name in _ENTRY.findall(text)]
    numbered = {int(number[:9]): name for number, name in entries if number}
    if not numbered:
        return tuple(name for _, name in entries)
    count = max(numbered) + 1
    if len(numbered) != len(entries) or count > MAX_LABELS:
        return ()
    return tuple(numbered.get(i, f"class {i}") for i in range(count))


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
