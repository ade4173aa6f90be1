"""Photographs on disk: which files are some, and how to decode them whatever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edgecam.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below a folder, sorted."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Decode a photograph of any depth and number of channels as uint8 (H, W, 3) BGR.

    Raises:
        DataError: the file is missing, truncated or not a picture.
    """
    try:
        raw = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if raw.size == 0:
        raise DataError(f"{path}: is empty")
    try:
        picture = cv2.imdecode(raw, cv2.IMREAD_COLOR)  # converts grey, RGBA and 16 bit
    except cv2.error as error:
        raise DataError(f"{path}: is not a picture that OpenCV can read") from error
    if picture is None:
        raise DataError(f"{path}: is not a picture that OpenCV can read, or is cut short")
    return np.asarray(picture, np.uint8)


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels. Raises DataError as `read_picture`."""
    height, width = read_picture(path).shape[:2]
    return width, height


def shrink(picture: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Reduce a picture (H, W, 3) so that its longest side is at most `longest` pixels."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return picture
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
