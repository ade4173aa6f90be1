"""YOLO's folders: `images/`, `labels/` with one line `class cx cy w h` (0 to 1) per box, and a `data.yaml`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from edgecam.errors import DataError
from edgecam.evaluation.datasets.examples import Dataset, Example, tidy
from edgecam.evaluation.datasets.labels import class_ids_of
from edgecam.evaluation.datasets.pictures import find_pictures, picture_size

DESCRIPTIONS = ("data.yaml", "data.yml", "dataset.yaml")


def description_of(path: Path) -> Path | None:
    """The yaml file that describes a YOLO data set given as that file or as its folder."""
    if path.suffix in {".yaml", ".yml"}:
        return path
    return next((path / name for name in DESCRIPTIONS if (path / name).is_file()), None)


def is_yolo(path: Path) -> bool:
    return description_of(path) is not None or ((path / "labels").is_dir() and (path / "classes.txt").is_file())


def yolo_names(path: Path) -> tuple[str, ...]:
    """The class names in the order of their numbers."""
    description = description_of(path)
    if description is None:
        listing = path / "classes.txt"
        try:
            return tuple(line.strip() for line in listing.read_text(encoding="utf-8").splitlines() if line.strip())
        except OSError as error:
            raise DataError(f"{listing}: cannot be read ({error.strerror})") from error
    names = _load(description).get("names")
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise DataError(f"{description}: the numbers of `names` are not 0 to {len(names) - 1}")
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names:
        raise DataError(f"{description}: has no list `names` of classes")
    return tuple(str(name) for name in names)


def read_yolo(path: Path, labels: tuple[str, ...], split: str | None = None) -> Dataset:
    """Read a YOLO data set; `split` is a key of its yaml (default `train`) or a folder below `images`.

    A photograph without a label file has no object. Raises DataError with file and line where a label is broken.
    """
    names = yolo_names(path)
    ids = class_ids_of(dict(enumerate(names)), labels, str(description_of(path) or path / "classes.txt"))
    folder = _photos(path, split)
    pictures = find_pictures(folder)
    if not pictures:
        raise DataError(f"{folder}: has no pictures")
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(_size_or_none, pictures))
    examples = tuple(_example(p, size, ids) for p, size in zip(pictures, sizes, strict=True))
    return Dataset(f"{path.stem}-{split or 'train'}", examples, labels, tuple(sorted(set(ids.values()))))


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise DataError(f"{path}{line}: is not YAML") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: is not a description of a YOLO data set")
    return content


def _photos(path: Path, split: str | None) -> Path:
    description = description_of(path)
    if description is None:
        folder = path / "images" / split if split else path / "images"
    else:
        content = _load(description)
        where = content.get(split or "train")
        if not isinstance(where, str):
            raise DataError(f"{description}: has no folder `{split or 'train'}`")
        base = description.parent / str(content.get("path") or ".")
        candidates = [base / where, description.parent / where, base / where.removeprefix("../")]
        folder = next((c for c in candidates if c.is_dir()), candidates[0])
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder of pictures")
    return folder


def _label_file(picture: Path) -> Path:
    """The same path with its last `images` changed to `labels`."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _size_or_none(path: Path) -> tuple[int, int] | None:
    try:
        return picture_size(path)
    except DataError:
        return None  # logged and skipped when it is decoded


def _example(picture: Path, size: tuple[int, int] | None, ids: dict[int, int]) -> Example:
    path = _label_file(picture)
    width, height = size or (1, 1)
    boxes, class_ids = [], []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            first, *rest = line.split()
            class_id = int(first)
            cx, cy, w, h = (float(v) for v in rest[:4])
        except ValueError as error:
            raise DataError(f"{path}, line {number}: is not `class cx cy w h` ({line.strip()[:60]!r})") from error
        if class_id not in ids:
            raise DataError(f"{path}, line {number}: class {class_id} is not among the {len(ids)} of the data set")
        boxes.append(((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height))
        class_ids.append(ids[class_id])
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    ids_array = np.array(class_ids, np.int64)
    difficult = np.zeros(len(boxes), np.bool_)
    example = Example(picture, width, height, corners, ids_array, difficult, frozenset(ids.values()))
    return tidy(example, str(path))
