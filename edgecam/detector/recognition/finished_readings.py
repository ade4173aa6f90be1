"""Readings of finished boxes: each has one score and the number of its class, in a row or in lists apart."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.decoders.finished import CORNERS
from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from edgecam.detector.recognition.cells import probable
from edgecam.detector.recognition.reading import Reading, boxes_in, fractions, look_like_corners, named, where, with_box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgecam.detector.recognition.graph import Output
    from edgecam.detector.recognition.match import Hints

MAX_COLUMNS = 24
# What the columns of a finished box may be, in order; "" is of no interest, BOX its four numbers.
BOX = "box"
ORDERS = (
    (BOX, "score", "class"),
    (BOX, "class", "score"),
    ("class", "score", BOX),
    ("score", "class", BOX),
    ("", BOX, "score", "class"),
    ("", BOX, "class", "score"),
    ("", "class", "score", BOX),
)


def finished_lists(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    """Finished boxes, their scores and their classes in outputs of their own."""
    for box in outputs:
        count, columns = boxes_in(box)
        vectors = [output for output in outputs if output is not box and _length(output) == count]
        if count < 0 or columns or box.whole or box.shape[1] > 5:
            continue
        numbers = np.asarray(box.array, np.float32).reshape(box.shape)[:, :4]
        for scores, classes in permutations(vectors, 2):
            values, labels = np.asarray(scores.array, np.float64), np.asarray(classes.array, np.float64)
            if not _none_or(_whole, labels) or scores.whole or not _none_or(probable, values):
                continue
            names = (box.name, scores.name, classes.name)
            yield Reading(
                f"Finished boxes in {named(box)}, scores in {named(scores)}, classes in {named(classes)}",
                OutputSpec(
                    Decoder.LISTS,
                    names,
                    activation=Activation.NONE,
                    box=BoxFormat.XYXY if look_like_corners(numbers) or not count else BoxFormat.CXCYWH,
                    normalized=fractions(numbers),
                ),
                None,
            )


def finished_rows(outputs: Sequence[Output], hints: Hints) -> Iterator[Reading]:
    for output in outputs:
        if len(output.shape) != 2 or not 6 <= output.shape[1] <= MAX_COLUMNS:
            continue
        rows = np.asarray(output.array, np.float32).reshape(output.shape)
        for order in ORDERS:
            columns = tuple(name for part in order for name in (CORNERS if part == BOX else (part,)))
            rest = output.shape[1] - len(columns)
            if rest < 0:
                continue
            score, number = rows[:, columns.index("score")], rows[:, columns.index("class")]
            if not _none_or(probable, score) or not _none_or(_whole, number):
                continue
            numbers = rows[:, [columns.index(name) for name in CORNERS]]
            box = BoxFormat.XYXY if look_like_corners(numbers) or not len(numbers) else BoxFormat.CXCYWH
            spec = OutputSpec(
                Decoder.ROWS,
                (output.name,),
                activation=Activation.NONE,
                box=box,
                normalized=fractions(numbers),
                columns=with_box((*columns, *("",) * rest), box),
            )
            parts = [part or "1 more" for part in order] + ([f"{rest} more"] if rest else [])
            yield Reading(f"Finished boxes{where(output, outputs)}: {', '.join(parts)}", spec, None)


def _length(output: Output) -> int:
    """How many numbers a list holds; -1 where it is none."""
    shape = output.shape[:-1] if len(output.shape) > 1 and output.shape[-1] == 1 else output.shape
    return shape[0] if len(shape) == 1 else -1


def _none_or(holds: Any, values: Any) -> bool:
    return not values.size or bool(holds(values))


def _whole(values: Any) -> bool:
    return bool(np.all(values == np.rint(values)) and np.all(values >= -1))
