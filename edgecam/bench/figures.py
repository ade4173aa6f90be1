"""Measured figures with their targets: as a table to read, and as JSON to compare."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgecam.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        key: what it is called in the JSON.
        text: what it is, to be read.
        value, unit: as measured.
        target: the bound it has to keep; None where it is only told.
        at_least: the bound is a lower one; else an upper one.
        note: how it came about.
    """

    key: str
    text: str
    value: float
    unit: str = ""
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it keeps its target; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def ratio(self) -> float | None:
        """Value by target; None without a target, or with one of 0."""
        return self.value / self.target if self.target else None

    def to_json(self) -> dict[str, Any]:
        """As JSON writes it; what was not measured is null."""
        value = self.value if math.isfinite(self.value) else None
        return {**asdict(self), "value": value, "ratio": self.ratio if value is not None else None, "met": self.met}


def figures_table(figures: Sequence[Figure]) -> str:
    """The figures in columns: what, measured, target, ratio, verdict; notes below their figure."""
    rows = [("", "measured", "target", "ratio", "")]
    for figure in figures:
        bound = "" if figure.target is None else f"{'≥' if figure.at_least else '≤'} {number(figure.target)}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        rows.append((figure.text, f"{number(figure.value)} {figure.unit}".strip(), bound, ratio, verdict))
    return columns(rows, right=(1, 2, 3))


def read_figures(path: Path) -> tuple[dict[str, Any], dict[str, float | None]]:
    """Machine and values by key of an earlier run.

    Raises:
        DataError: it cannot be read, or is no such file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        values = {str(f["key"]): None if f["value"] is None else float(f["value"]) for f in data["figures"]}
        return dict(data["machine"]), values
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: this was not written by `edgecam bench pipeline --json` ({error!r}).") from error


def figures_comparison(
    now: Sequence[Figure], before: Mapping[str, float | None], machine: Mapping[str, Any], here: Mapping[str, Any]
) -> str:
    """Each figure of this run: then, now, and the ratio.

    Args:
        machine, here: of the earlier run and of this one.
    """
    rows = [("", "then", "now", "now by then")]
    for figure in now:
        then = before.get(figure.key)
        ratio = f"{figure.value / then:.2f}" if then and math.isfinite(figure.value) else "–"
        told = "–" if then is None else f"{number(then)} {figure.unit}".strip()
        rows.append((figure.text, told, f"{number(figure.value)} {figure.unit}".strip(), ratio))
    return f"{compared_with(machine, here)}\n{columns(rows, right=(1, 2, 3))}"


def compared_with(machine: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The head of a comparison: with what, and whether that was this processor."""
    head = f"Compared with edgecam {machine.get('edgecam', '?')} on {machine.get('processor', 'another machine')}:"
    if machine.get("processor") != here.get("processor"):
        head += "\n(another processor than this one: what changed is not edgecam alone)"
    return head


def columns(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows of texts as aligned columns, two spaces apart; those in `right` end flush."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        "  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )  # fmt: skip
    return "\n".join(line.rstrip() for line in lines)


def number(value: float) -> str:
    """Three digits that count: 0.953, 12.4, 1250."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
