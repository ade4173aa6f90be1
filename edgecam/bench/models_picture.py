"""Speed against accuracy as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edgecam.bench.accuracy import Known
from edgecam.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgecam.bench.models import CaseResult

WIDTH: Final = 1180
LEAST_HEIGHT: Final = 600
UNKNOWN: Final = "not known"
_LEFT, _LEGEND, _TOP, _BOTTOM = 90, 400, 84, 70
_STRIP = 46  # for cases whose accuracy nobody knows: at 0 they would tell a lie
_LINE = 19
_GRID, _INK, _DIM = (228, 228, 228), (50, 50, 50), (120, 120, 120)
_COLOURS = (
    (196, 110, 20), (40, 130, 240), (60, 160, 60), (190, 80, 170), (60, 60, 200), (150, 150, 20), (110, 110, 110),
    (20, 60, 120), (210, 160, 60), (90, 40, 110),
)  # fmt: skip

Box = tuple[int, int, int, int]  # left, top, right, bottom


class _Chart:
    """A canvas with axes, on which no word covers another."""

    def __init__(self, results: Sequence[CaseResult]) -> None:
        height = max(LEAST_HEIGHT, _TOP + _BOTTOM + _LINE * len(results))
        self.canvas = np.full((height, WIDTH, 3), 255, np.uint8)
        known = [result.accuracy for result in results if result.accuracy is not None]
        self.has_known, self.has_unknown = bool(known), len(known) < len(results)
        self.right, self.floor = WIDTH - _LEGEND, height - _BOTTOM
        self.bottom = self.floor - (_STRIP if known and self.has_unknown else 0)
        self.ms, self.accuracy = _ticks(max(r.median_ms for r in results)), _ticks(max(known, default=1.0))
        self._taken: list[Box] = []

    def place(self, result: CaseResult) -> tuple[int, int]:
        """Where a case lies; the unknown ones in the strip below, or in the middle where all are."""
        x = _LEFT + round((self.right - _LEFT) * result.median_ms / self.ms[-1])
        if result.accuracy is None:
            return x, self.floor - _STRIP // 2 if self.has_known else (self.floor + _TOP) // 2
        return x, self.bottom - round((self.bottom - _TOP) * result.accuracy / self.accuracy[-1])

    def axes(self, title: str) -> None:
        self.write(title, (_LEFT, 32), 0.55)
        self.write("better: up and to the left", (_LEFT, 56), 0.42, _DIM)
        for value in self.ms:
            x = _LEFT + round((self.right - _LEFT) * value / self.ms[-1])
            cv2.line(self.canvas, (x, _TOP), (x, self.floor), _GRID, 1)
            self.write(f"{value:g}", (x, self.floor + 20), 0.42, align=0.5)
        self.write("milliseconds per detection", ((_LEFT + self.right) // 2, self.floor + 46), 0.45, align=0.5)
        for value in self.accuracy if self.has_known else ():
            y = self.bottom - round((self.bottom - _TOP) * value / self.accuracy[-1])
            cv2.line(self.canvas, (_LEFT, y), (self.right, y), _GRID, 1)
            self.write(f"{value:g}", (_LEFT - 10, y + 4), 0.42, align=1.0)
        if self.has_known:
            self.write("accuracy", (10, _TOP - 14), 0.45)
        if self.has_unknown:
            cv2.rectangle(self.canvas, (_LEFT, self.bottom), (self.right, self.floor), _GRID, 1)
            self.write(UNKNOWN, (_LEFT - 10, self.floor - _STRIP // 2 + 4), 0.42, _DIM, align=1.0)

    def point(self, at: tuple[int, int], threads: int, colour: tuple[int, int, int]) -> None:
        """A disc for one thread, a ring for more."""
        cv2.circle(self.canvas, at, 6, colour, cv2.FILLED, cv2.LINE_AA)
        if threads > 1:
            cv2.circle(self.canvas, at, 3, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
        self._taken.append((at[0] - 7, at[1] - 7, at[0] + 7, at[1] + 7))

    def label(self, words: str, at: tuple[int, int]) -> None:
        """Beside a point, where there is room."""
        (width, height), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
        boxes = [
            (left, top, left + width, top + height)
            for away in (9, 16, 26, 38)
            for left, top in (
                (at[0] + away, at[1] - away - height // 2), (at[0] + away, at[1] + away - height // 2),
                (at[0] - away - width, at[1] - away - height // 2), (at[0] - away - width, at[1] + away - height // 2),
                (at[0] - width // 2, at[1] - away - height), (at[0] - width // 2, at[1] + away),
            )
        ]  # fmt: skip
        best = next((box for box in boxes if not any(_overlap(box, other) for other in self._taken)), boxes[0])
        self._taken.append(best)
        self.write(words, (best[0], best[3]), 0.42)

    def write(
        self, words: str, at: tuple[int, int], size: float, colour: tuple[int, int, int] = _INK, align: float = 0.0
    ) -> None:
        """`at`: the base line; of its left end (`align` 0), middle (0.5) or right end (1)."""
        (width, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        left = round(at[0] - width * align)
        cv2.putText(self.canvas, words, (left, at[1]), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


def picture(results: Sequence[CaseResult], title: str) -> np.ndarray:
    """Speed against accuracy, uint8 (H, W, 3) BGR; a case whose accuracy is not known is shown apart."""
    chart = _Chart(results)
    chart.axes(title)
    names = list(dict.fromkeys(result.model for result in results))
    places = [chart.place(result) for result in results]
    colours = [_COLOURS[names.index(result.model) % len(_COLOURS)] for result in results]
    for result, place, colour in zip(results, places, colours, strict=True):
        chart.point(place, result.threads, colour)
    for line, (result, place, colour) in enumerate(zip(results, places, colours, strict=True)):
        chart.label(str(line + 1), place)
        y = _TOP + 10 + _LINE * line
        chart.write(str(line + 1), (chart.right + 46, y), 0.42, align=1.0)
        chart.point((chart.right + 60, y - 4), result.threads, colour)
        threads = f"{result.threads} thread{'' if result.threads == 1 else 's'}"
        between = ", accuracy between sizes" if result.accuracy_known == Known.BETWEEN.value else ""
        size = f"{result.input_hw[1]} x {result.input_hw[0]}"
        chart.write(f"{result.model} {size}, {threads}{between}", (chart.right + 74, y), 0.42)
    return chart.canvas


def write_picture(path: Path, results: Sequence[CaseResult], title: str) -> None:
    """Writes the picture as PNG or JPEG, by the file's name.

    Raises:
        DataError: it cannot be written.
    """
    try:
        written, data = cv2.imencode(path.suffix or ".png", picture(results, title))
        if written:
            path.write_bytes(data.tobytes())
            return
    except (cv2.error, OSError) as error:
        raise DataError(f"{path}: the picture cannot be written ({error}).") from error
    raise DataError(f"{path}: the picture cannot be written.")


def _ticks(largest: float) -> list[float]:
    """Round numbers from 0 to above `largest`, at most seven of them."""
    step = 10.0 ** math.floor(math.log10(max(largest, 1e-3)))
    step = next(step * by for by in (0.2, 0.5, 1.0, 2.0) if largest <= step * by * 6)
    return [round(step * i, 9) for i in range(math.floor(largest / step) + 2)]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
