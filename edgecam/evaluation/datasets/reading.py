"""From what is given on the command line to a data set: COCO, VOC, YOLO, or a plain folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.errors import DataError
from edgecam.evaluation.datasets.coco import coco_names, read_coco
from edgecam.evaluation.datasets.examples import Dataset, Example
from edgecam.evaluation.datasets.labels import VOC_WORDS
from edgecam.evaluation.datasets.pictures import find_pictures
from edgecam.evaluation.datasets.voc import is_voc, read_voc, voc_names
from edgecam.evaluation.datasets.yolo import is_yolo, read_yolo, yolo_names

if TYPE_CHECKING:
    from collections.abc import Sequence


def split_spec(spec: str) -> tuple[Path, str | None]:
    """`PATH` or `PATH:SPLIT` (a list of VOC's, a key of a YOLO yaml)."""
    path = Path(spec)
    if not path.exists() and ":" in spec:
        name, split = spec.rsplit(":", 1)
        return Path(name), split
    return path, None


def names_of(spec: str) -> tuple[str, ...]:
    """The class names of a data set; none for a folder of photographs without labels.

    Raises:
        DataError: nothing is there, or it is broken.
    """
    path, split = split_spec(spec)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if path.suffix == ".json":
        return coco_names(path)
    if is_yolo(path):
        return yolo_names(path)
    return voc_names(path, split) if is_voc(path) else ()


def read(spec: str, labels: tuple[str, ...], images: Path | None = None) -> Dataset:
    """Read a data set of any of the formats with the network's labels.

    Raises:
        DataError: as the formats', or the folder has neither labels nor pictures.
    """
    path, split = split_spec(spec)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder")
    if path.suffix == ".json":
        return read_coco(path, labels, images)
    if is_yolo(path):
        return read_yolo(path, labels, split)
    if is_voc(path):
        return read_voc(path, labels, split)
    if not path.is_dir():
        raise DataError(f"{path}: is neither a COCO json, nor a YOLO yaml, nor a folder")
    pictures = find_pictures(path)
    if not pictures:
        raise DataError(f"{path}: has neither labels (COCO, VOC, YOLO) nor pictures")
    # The true size is known once it is decoded; boxes of a teacher are set against it then.
    return Dataset(path.name, tuple(Example(p, 0, 0) for p in pictures), labels, ())


def joined_names(specs: Sequence[str]) -> tuple[str, ...]:
    """The classes of several data sets in the order of their first mention, VOC's words as COCO's."""
    names: dict[str, None] = {}
    for spec in specs:
        for name in names_of(spec):
            names.setdefault(VOC_WORDS.get(name, name))
    return tuple(names)
