"""What was measured of models: as a table, compared with an earlier run, and as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edgecam.bench.figures import columns, number
from edgecam.bench.models import CaseResult
from edgecam.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADS = ("model", "input", "threads", "median ms", "p95 ms", "model ms", "per s", "CPU", "MB", "accuracy", "speed")
PICTURE_WH = (1100, 600)
_MARGIN = 70
_LEGEND = 380
_GRID = (230, 230, 230)
_COLOURS = ((196, 110, 20), (40, 130, 240), (60, 160, 60), (190, 80, 170), (60, 60, 200), (150, 150, 20))


def models_table(results: Sequence[CaseResult]) -> str:
    """One line per case; speed is relative to the first one."""
    rows = [HEADS]
    for result in results:
        height, width = result.input_hw
        rows.append((
            result.model, f"{width} × {height}", str(result.threads), number(result.median_ms), number(result.p95_ms),
            number(result.inference_ms), number(result.per_second), f"{result.cpu_percent:.0f} %",
            f"{result.memory_mb:.0f}", result.accuracy_text,
            f"{result.ratio:.2f}",
        ))  # fmt: skip
    return columns(rows, right=range(2, len(HEADS)))


def to_json(machine: Mapping[str, Any], results: Sequence[CaseResult]) -> str:
    data = {"kind": "models", "machine": machine, "cases": [result.to_json() for result in results]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def read_results(path: Path) -> tuple[dict[str, Any], list[CaseResult]]:
    """Machine and results of an earlier run.

    Raises:
        DataError: it cannot be read, or is no such file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return data["machine"], [CaseResult.from_json(case) for case in data["cases"]]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: this was not written by `edgecam bench --json` ({error!r}).") from error


def comparison(now: Sequence[CaseResult], before: Sequence[CaseResult], machine: Mapping[str, Any]) -> str:
    """Each case of both runs: milliseconds then and now, and how much quicker it is now."""
    earlier = {result.key: result for result in before}
    rows = [("model", "input", "threads", "then ms", "now ms", "quicker")]
    for result in now:
        old = earlier.pop(result.key, None)
        height, width = result.input_hw
        rows.append((
            result.model, f"{width} × {height}", str(result.threads),
            number(old.median_ms) if old else "–", number(result.median_ms),
            f"{old.median_ms / result.median_ms:.2f}" if old else "new",
        ))  # fmt: skip
    for old in earlier.values():
        height, width = old.input_hw
        rows.append((old.model, f"{width} × {height}", str(old.threads), number(old.median_ms), "–", "not measured"))
    head = f"Compared with edgecam {machine.get('edgecam', '?')} on {machine.get('processor', 'another machine')}:"
    return f"{head}\n{columns(rows, right=(2, 3, 4, 5))}"


def picture(results: Sequence[CaseResult], title: str) -> np.ndarray:
    """Speed against accuracy, uint8 (H, W, 3) BGR; where no file tells its accuracy, one line per case."""
    width, height = PICTURE_WH
    canvas = np.full((height, width, 3), 255, np.uint8)
    left, right, top, bottom = _MARGIN, width - _LEGEND, _MARGIN, height - _MARGIN
    most_ms = max(result.median_ms for result in results) * 1.1
    most = max((result.accuracy or 0.0 for result in results), default=0.0) * 1.1
    _text(canvas, title, (left, 36), 0.55)
    _text(canvas, "milliseconds per detection", ((left + right) // 2 - 90, height - 14), 0.45)
    for step in range(6):
        x, y = left + (right - left) * step // 5, bottom - (bottom - top) * step // 5
        cv2.line(canvas, (x, top), (x, bottom), _GRID, 1)
        _text(canvas, number(most_ms * step / 5), (x - 12, bottom + 20), 0.42)
        if most:
            cv2.line(canvas, (left, y), (right, y), _GRID, 1)
            _text(canvas, number(most * step / 5), (left - 48, y + 4), 0.42)
    if most:
        _text(canvas, "accuracy", (8, top - 16), 0.45)
    names = list(dict.fromkeys(result.model for result in results))
    for line, result in enumerate(results):
        colour = _COLOURS[names.index(result.model) % len(_COLOURS)]
        x = round(left + (right - left) * result.median_ms / most_ms)
        legend_y = top + 8 + (bottom - top) * line // max(1, len(results))
        y = round(bottom - (bottom - top) * (result.accuracy or 0.0) / most) if most else legend_y - 4
        if not most:
            cv2.line(canvas, (left, y), (x, y), colour, 2)
        cv2.circle(canvas, (x, y), 6, colour, cv2.FILLED, cv2.LINE_AA)
        _text(canvas, str(line + 1), (x + 9, y - 5), 0.42)
        threads = f"{result.threads} thread{'' if result.threads == 1 else 's'}"
        words = f"{line + 1}  {result.model} {result.input_hw[1]} x {result.input_hw[0]}, {threads}"
        cv2.circle(canvas, (right + 24, legend_y - 4), 4, colour, cv2.FILLED, cv2.LINE_AA)
        _text(canvas, words, (right + 36, legend_y), 0.42)
    return canvas


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


def _text(canvas: np.ndarray, words: str, place: tuple[int, int], size: float) -> None:
    cv2.putText(canvas, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (60, 60, 60), 1, cv2.LINE_AA)
