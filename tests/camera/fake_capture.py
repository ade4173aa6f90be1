"""A stand-in for OpenCV's reader of cameras by number, as Windows and macOS have them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    import pytest


class Capture:
    """Two cameras; what is set is rounded to what they have."""

    broken = hung = False
    there = True
    released = 0

    def __init__(self, index: int, _backend: int) -> None:
        self._opened = index < 2 and type(self).there
        self._values: dict[int, float] = {}

    def isOpened(self) -> bool:
        return self._opened

    def set(self, number: int, value: float) -> bool:
        self._values[number] = min(value, 1280)
        return True

    def get(self, number: int) -> float:
        return self._values.get(number, 0.0)

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.01)
        while type(self).hung:
            time.sleep(0.01)
        return (False, None) if type(self).broken else (True, np.zeros((720, 1280, 3), np.uint8))

    def release(self) -> None:
        type(self).released += 1


def install(monkeypatch: pytest.MonkeyPatch) -> type[Capture]:
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    Capture.broken, Capture.hung, Capture.there, Capture.released = False, False, True, 0
    return Capture
