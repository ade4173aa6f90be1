"""A memory-mapped copy of the photographs, decoded once: one flat uint8 file beside a small index."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgecam.errors import DataError
from edgecam.evaluation.datasets.pictures import read_picture, shrink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 64  # photographs decoded before they are written: bounds memory

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cache:
    """Decoded photographs by index; `shapes` is int64 (N, 2) height, width; a broken file has shape (0, 0)."""

    pixels: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shapes)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """The photograph as a read-only view, uint8 (H, W, 3) BGR."""
        height, width = (int(side) for side in self.shapes[index])
        start = int(self.offsets[index])
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)


def open_cache(
    paths: Sequence[Path], folder: Path, longest: int, progress: Callable[[int, int], None] | None = None
) -> Cache:
    """The cache of these photographs in `folder`, built first if it is not there; broken files are logged and skipped.

    Raises:
        DataError: no photograph could be read, or the folder cannot hold the cache.
    """
    key = hashlib.sha256("\n".join([str(longest), *map(str, paths)]).encode()).hexdigest()[:16]
    data, index = folder / f"{key}.pixels", folder / f"{key}.json"
    if not index.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _build(paths, data, index, longest, progress)
        except OSError as error:
            raise DataError(f"{folder}: cannot hold the decoded photographs ({error.strerror})") from error
    shapes = np.asarray(json.loads(index.read_text())["shapes"], np.int64).reshape(-1, 2)
    sizes = shapes.prod(axis=1) * 3
    if not sizes.any():
        raise DataError(
            f"none of the {len(paths)} photographs could be read; the first is {paths[0] if paths else '-'}"
        )
    return Cache(np.memmap(data, np.uint8, "r"), np.concatenate([[0], np.cumsum(sizes)[:-1]]), shapes)


def _build(
    paths: Sequence[Path], data: Path, index: Path, longest: int, progress: Callable[[int, int], None] | None
) -> None:
    shapes: list[Any] = []
    partial = data.with_suffix(f".{os.getpid()}.partial")
    try:
        with partial.open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(paths), CHUNK):
                for picture in pool.map(lambda path: _load(path, longest), paths[start : start + CHUNK]):
                    shapes.append(picture.shape[:2])
                    picture.tofile(file)
                if progress is not None:
                    progress(len(shapes), len(paths))
        partial.replace(data)
    finally:
        partial.unlink(missing_ok=True)
    temporary = index.with_suffix(f".{os.getpid()}.partial")
    temporary.write_text(json.dumps({"longest": longest, "shapes": shapes}))
    temporary.replace(index)  # written last: its presence says that the pixels are complete


def _load(path: Path, longest: int) -> NDArray[np.uint8]:
    try:
        return np.ascontiguousarray(shrink(read_picture(path), longest))
    except (DataError, cv2.error, MemoryError) as error:
        logger.warning("skipped %s", error)
        return np.zeros((0, 0, 3), np.uint8)
