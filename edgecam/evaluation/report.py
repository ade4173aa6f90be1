"""A report as text, and its precision-recall curves as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edgecam.errors import DataError
from edgecam.evaluation.spread import spread_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.evaluation.evaluate import Report


def table(report: Report, *, per_class: bool) -> str:
    """COCO's and VOC's figures, and one line per class if that is wanted."""
    accuracy = report.accuracy
    ap_spread, ap50_spread = spread_of(accuracy.draws)
    size = f" at {report.input_hw[1]}x{report.input_hw[0]}" if report.input_hw else ""
    lines = [
        f"{report.model} on {report.data} ({report.photographs} photographs){size}",
        f"  AP {_with_spread(accuracy.ap, ap_spread)}   AP50 {_with_spread(accuracy.ap50, ap50_spread)}   "
        f"APs {number(accuracy.ap_small)}   APm {number(accuracy.ap_medium)}   APl {number(accuracy.ap_large)}   "
        f"VOC AP50 {number(report.voc_ap50)}",
    ]
    if per_class:
        width = max(map(len, accuracy.per_class), default=0)
        for label, (ap, ap50) in sorted(accuracy.per_class.items(), key=lambda item: -_known(item[1][0])):
            lines.append(f"  {label:{width}}  AP {number(ap)}   AP50 {number(ap50)}")
    if report.skipped:
        lines.append(f"  {len(report.skipped)} photographs could not be read, the first: {report.skipped[0]}")
    return "\n".join(lines)


def comparison(report: Report, other: Report) -> str:
    """By how much the first model's AP and AP50 are above (+) or below the second's, on the same photographs."""
    ours, theirs = report.accuracy, other.accuracy
    names = f"{report.model} against {other.model} on {report.data}"
    if ours.per_class.keys() != theirs.per_class.keys():
        return f"{names}: their AP cannot be compared: of the data's classes they know different ones."
    spread = np.full(2, np.nan)
    if ours.draws.shape == theirs.draws.shape:
        spread = spread_of(ours.draws - theirs.draws)
    ap, ap50 = (
        ("–" if math.isnan(more) else f"{more:+.1f}") + _plus_minus(width)
        for more, width in zip((ours.ap - theirs.ap, ours.ap50 - theirs.ap50), spread, strict=True)
    )
    return f"{names}: AP {ap}   AP50 {ap50}"


def _with_spread(value: float, spread: float) -> str:
    return number(value) + _plus_minus(spread)


def _plus_minus(spread: float) -> str:
    return "" if math.isnan(spread) else f" ± {spread:.1f}"


def number(value: float) -> str:
    return "   –" if math.isnan(value) else f"{value:4.1f}"


def _known(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def plot(reports: list[Report], path: Path) -> None:
    """Precision against recall at IoU 0.5, the mean over the classes, one line per report.

    Raises:
        DataError: the picture cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
    recall = np.linspace(0, 1, 101)
    for report in reports:
        known = report.accuracy.precision[:, (report.accuracy.precision > -1).any(axis=0)]
        if known.size:
            axes.plot(
                recall, known.mean(axis=1), label=f"{report.model}, {report.data}: AP50 {report.accuracy.ap50:.1f}"
            )
    axes.set(xlabel="recall", ylabel="precision at IoU 0.5", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize="small")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the plot cannot be written ({error})") from error
    finally:
        plt.close(figure)
