"""Pascal VOC's folders: `Annotations/*.xml`, `JPEGImages/`, and lists of names in `ImageSets/Main/*.txt`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from edgecam.errors import DataError
from edgecam.evaluation.datasets.examples import Dataset, Example, tidy
from edgecam.evaluation.datasets.labels import class_ids_of
from edgecam.evaluation.datasets.pictures import PICTURE_SUFFIXES, picture_size

if TYPE_CHECKING:
    from pathlib import Path


def is_voc(folder: Path) -> bool:
    return (folder / "Annotations").is_dir()


def voc_names(folder: Path, split: str | None) -> tuple[str, ...]:
    """All class names that occur, sorted."""
    return tuple(sorted({_text(o, "name", path) for path in _files(folder, split) for o in _objects(path)}))


def read_voc(folder: Path, labels: tuple[str, ...], split: str | None = None) -> Dataset:
    """Read a VOC folder; `split` names a list in `ImageSets/Main`, None takes every annotation.

    Raises:
        DataError: no annotation, broken XML (with its line), a missing field, an unknown class.
    """
    files = _files(folder, split)
    ids = class_ids_of({name: name for name in voc_names(folder, split)}, labels, str(folder))
    examples = tuple(_example(path, folder, ids) for path in files)
    return Dataset(
        f"{folder.name}-{split}" if split else folder.name, examples, labels, tuple(sorted(set(ids.values())))
    )


def _files(folder: Path, split: str | None) -> list[Path]:
    if split is None:
        files = sorted((folder / "Annotations").glob("*.xml"))
    else:
        listing = folder / "ImageSets" / "Main" / f"{split}.txt"
        try:
            names = [line.split()[0] for line in listing.read_text().splitlines() if line.strip()]
        except OSError as error:
            raise DataError(f"{listing}: cannot be read ({error.strerror})") from error
        files = [folder / "Annotations" / f"{name}.xml" for name in names]
    if not files:
        raise DataError(f"{folder / 'Annotations'}: has no annotation files (*.xml)")
    return files


def _objects(path: Path) -> list[ElementTree.Element]:
    return list(_parse(path).iter("object"))


def _parse(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except ElementTree.ParseError as error:
        raise DataError(f"{path}, line {error.position[0]}: is not XML ({error})") from error


def _text(element: ElementTree.Element, name: str, path: Path) -> str:
    found = element.findtext(name)
    if found is None:
        raise DataError(f"{path}: an <{element.tag}> has no <{name}>")
    return found.strip()


def _example(path: Path, folder: Path, ids: dict[str, int]) -> Example:
    root = _parse(path)
    picture = _picture(path, folder, root.findtext("filename"))
    size = root.find("size")
    try:
        width, height = (
            (int(float(_text(size, side, path))) for side in ("width", "height")) if size is not None else (0, 0)
        )
    except ValueError as error:
        raise DataError(f"{path}: its <size> is not a number ({error})") from error
    if width <= 0 or height <= 0:
        width, height = picture_size(picture)
    boxes, class_ids, difficult = [], [], []
    for number, element in enumerate(root.iter("object"), 1):
        frame = element.find("bndbox")
        if frame is None:
            raise DataError(f"{path}: object {number} has no <bndbox>")
        try:
            x1, y1, x2, y2 = (float(_text(frame, side, path)) for side in ("xmin", "ymin", "xmax", "ymax"))
        except ValueError as error:
            raise DataError(f"{path}: object {number} has a side that is not a number ({error})") from error
        boxes.append((x1 - 1, y1 - 1, x2, y2))  # VOC counts pixels from 1 and includes the last
        class_ids.append(ids[_text(element, "name", path)])
        difficult.append((element.findtext("difficult") or "0").strip() == "1")
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return tidy(
        Example(
            picture,
            width,
            height,
            corners,
            np.array(class_ids, np.int64),
            np.array(difficult, np.bool_),
            frozenset(ids.values()),
        ),
        str(path),
    )


def _picture(path: Path, folder: Path, name: str | None) -> Path:
    base = folder / "JPEGImages"
    if name and (base / name.strip()).exists():
        return base / name.strip()
    for suffix in PICTURE_SUFFIXES:
        if (base / f"{path.stem}{suffix}").exists():
            return base / f"{path.stem}{suffix}"
    return base / (name.strip() if name else f"{path.stem}.jpg")  # missing: logged and skipped when it is decoded
