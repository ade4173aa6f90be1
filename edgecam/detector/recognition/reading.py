"""A way to read the outputs of a model that is of no known family."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import BoxFormat, OutputSpec
from edgecam.detector.recognition.finished import ordered
from edgecam.detector.recognition.match import span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.graph import Output

BOX_COLUMNS = {
    BoxFormat.XYXY: ("x1", "y1", "x2", "y2"),
    BoxFormat.YXYX: ("y1", "x1", "y2", "x2"),
    BoxFormat.XYWH: ("x1", "y1", "w", "h"),
    BoxFormat.CXCYWH: ("cx", "cy", "w", "h"),
}
MAX_BOX_VALUES = 32  # of an output of boxes: 4, and perhaps key points


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read the outputs.

    Attributes:
        text: to be shown.
        output: the way itself.
        classes: how many class scores there are, a background among them; None where boxes carry class numbers.
        recognised: it is what the model was recognised as.
    """

    text: str
    output: OutputSpec
    classes: int | None
    recognised: bool = False


def same_but_for_answers(one: OutputSpec, other: OutputSpec) -> bool:
    """Both read the same numbers; box, units, activation, anchors and the meaning of class numbers may differ."""

    def plain(spec: OutputSpec) -> OutputSpec:
        bare = OutputSpec()
        columns = with_box(spec.columns, bare.box) if spec.columns else ()
        return replace(
            spec,
            activation=bare.activation,
            bins=0,
            box=bare.box,
            normalized=False,
            anchors=(),
            columns=columns,
            class_ids=(),
        )

    return plain(one) == plain(other)


def with_box(columns: Sequence[str], box: BoxFormat) -> tuple[str, ...]:
    """The columns of finished boxes, whose box has the four numbers of `box`; unchanged where they name no box."""
    places = [i for i, name in enumerate(columns) if any(name in names for names in BOX_COLUMNS.values())]
    if len(places) != 4:
        return tuple(columns)
    changed = dict(zip(places, BOX_COLUMNS[box], strict=True))
    return tuple(changed.get(i, name) for i, name in enumerate(columns))


def boxes_in(output: Output) -> tuple[int, bool]:
    """(number of boxes, each is a column) of an output of boxes; -1 where it is none."""
    if len(output.shape) != 2:
        return -1, False
    first, last = output.shape
    if 4 <= last <= MAX_BOX_VALUES and not (first == 4 and last != 4 and last > 5):
        return first, False
    return (last, True) if first == 4 else (-1, False)


def fractions(numbers: Any) -> bool:
    """No number of a box exceeds 2: fractions of the input's sides, not pixels."""
    return 0 < span(np.abs(numbers))[1] <= 2


def look_like_corners(numbers: Any) -> bool:
    """The boxes that hold anything look like corners, not like centre and size."""
    filled = numbers[numbers.any(axis=1)]
    return len(filled) > 0 and ordered(filled)


def named(output: Output) -> str:
    return f"'{output.name[:40]}'"


def where(output: Output, outputs: Sequence[Output]) -> str:
    return f" in {named(output)}" if len(outputs) > 1 else ""
