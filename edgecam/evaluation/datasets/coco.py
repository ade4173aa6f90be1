"""COCO's annotation files."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.errors import DataError
from edgecam.evaluation.datasets.examples import Dataset, Example, tidy
from edgecam.evaluation.datasets.labels import class_ids_of
from edgecam.evaluation.datasets.pictures import picture_size

if TYPE_CHECKING:
    from pathlib import Path

PHOTO_FOLDERS = (".", "images", "photos", "train2017", "val2017", "train", "val", "test")


def read_coco(path: Path, labels: tuple[str, ...], images: Path | None = None) -> Dataset:
    """Read a COCO json whose categories are named as `labels` (or as VOC names them).

    Photographs are looked for in `images`, beside the file, and in the usual folders beside its own.

    Raises:
        DataError: the file is not JSON, has no annotations, or an entry is broken (which one).
    """
    content = _load(path)
    ids = class_ids_of({entry["id"]: entry["name"] for entry in content["categories"]}, labels, str(path))
    grouped: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for entry in content["annotations"]:
        grouped[entry["image_id"]].append(entry)
    root = _photo_root(path, content["images"], images)
    seen: set[Any] = set()
    examples = []
    for entry in content["images"]:
        if entry["id"] in seen:
            raise DataError(f"{path}: image id {entry['id']} occurs twice ({entry['file_name']})")
        seen.add(entry["id"])
        examples.append(_example(entry, grouped.get(entry["id"], []), ids, root, path))
    evaluated = tuple(sorted(set(ids.values())))
    return Dataset(path.stem, tuple(examples), labels, evaluated)


def coco_names(path: Path) -> tuple[str, ...]:
    """The names of the categories in the order of their ids."""
    return tuple(str(c["name"]) for c in sorted(_load(path)["categories"], key=lambda c: c["id"]))


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise DataError(f"{path}: has no list of images; it is not a COCO annotation file")
    if not isinstance(content.get("annotations"), list) or not isinstance(content.get("categories"), list):
        raise DataError(f"{path}: has no annotations or no categories; a detector cannot be trained or judged by it")
    return content


def _example(
    entry: dict[str, Any], annotations: list[dict[str, Any]], ids: dict[Any, int], root: Path, path: Path
) -> Example:
    boxes, class_ids, difficult = [], [], []
    for annotation in annotations:
        try:
            x, y, w, h = (float(v) for v in annotation["bbox"])
            class_ids.append(ids[annotation["category_id"]])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: annotation {annotation.get('id')} is broken ({error!r})") from error
        boxes.append((x, y, x + w, y + h))
        difficult.append(bool(annotation.get("iscrowd")) or bool(annotation.get("difficult")))
    name = str(entry["file_name"])
    try:
        width, height = int(entry["width"]), int(entry["height"])
    except (KeyError, TypeError, ValueError):
        width, height = picture_size(root / name)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    ids_array, flags = np.array(class_ids, np.int64), np.array(difficult, np.bool_)
    example = Example(root / name, width, height, corners, ids_array, flags, frozenset(ids.values()))
    return tidy(example, f"{path}, {name}")


def _photo_root(path: Path, entries: list[dict[str, Any]], images: Path | None) -> Path:
    candidates = (
        [images] if images else [base / name for base in (path.parent, path.parent.parent) for name in PHOTO_FOLDERS]
    )
    if not entries:
        raise DataError(f"{path}: lists no images")
    for root in candidates:
        if (root / str(entries[0]["file_name"])).exists():
            return root
    raise DataError(
        f"{path}: {entries[0]['file_name']} is in none of {', '.join(map(str, candidates))}; say where: --images"
    )
