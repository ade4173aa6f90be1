"""A data set made ready for training: its photographs decoded, a teacher's boxes beside its labels."""

from __future__ import annotations

import dataclasses
import gzip
import json
from typing import TYPE_CHECKING

import numpy as np

from edgecam.errors import DataError
from edgecam.training.batches import Source
from edgecam.training.cache import open_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgecam.evaluation.datasets.examples import Dataset, Example

LONGEST = 448  # px: what is kept of a photograph for inputs up to 416

TeacherBoxes = dict[str, list[list[float]]]


def read_teacher_boxes(path: Path) -> TeacherBoxes:
    """`{file name: [[x1, y1, x2, y2, class id, score], ...]}` from JSON, gzipped or not. Raises DataError."""
    try:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            content = json.load(file)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as a teacher's boxes ({error})") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: is not an object of file names")
    return content


def open_source(
    dataset: Dataset,
    cache_folder: Path,
    teacher: TeacherBoxes | None = None,
    share: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> Source:
    """Decode (or find decoded) the photographs, and give each the teacher's boxes."""
    cache = open_cache([e.path for e in dataset.examples], cache_folder, LONGEST, progress)
    examples = []
    for example, shape in zip(dataset.examples, cache.shapes, strict=True):
        if example.width == 0:
            example = dataclasses.replace(example, height=int(shape[0]) or 1, width=int(shape[1]) or 1)
        examples.append(_taught(example, teacher) if teacher else example)
    return Source(dataclasses.replace(dataset, examples=tuple(examples)), cache, share)


def _taught(example: Example, teacher: TeacherBoxes) -> Example:
    parts = example.path.parts
    key = next((k for n in (3, 2, 1, 4) if (k := "/".join(parts[-n:])) in teacher), None)
    if key is None:
        return example
    rows = teacher[key]
    table = np.array(rows, np.float32).reshape(-1, 6)
    limit = np.array([example.width, example.height] * 2, np.float32)
    boxes = np.clip(table[:, :4], 0, limit).astype(np.float32)
    sound = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return dataclasses.replace(
        example,
        teacher_boxes=boxes[sound],
        teacher_ids=table[sound, 4].astype(np.int64),
        teacher_scores=table[sound, 5],
        taught=True,
    )
