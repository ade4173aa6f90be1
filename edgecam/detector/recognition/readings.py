"""The ways in which outputs of no known family can be read at all: for a person to choose from, with a picture to see
which one is right. Each one fits the shapes; its box, units and activation are guessed from the values of one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import Request
from edgecam.detector.decoding import decode
from edgecam.detector.recognition.finished_readings import finished_lists, finished_rows
from edgecam.detector.recognition.reading import Reading, same_but_for_answers
from edgecam.detector.recognition.scored_readings import (
    anchored,
    boxes_and_scores,
    maps,
    offsets_from_cells,
    predictions,
    predictions_turned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.description import OutputSpec
    from edgecam.detector.recognition.graph import Output
    from edgecam.detector.recognition.match import Hints, Match

MAX_READINGS = 24
MAKERS = (
    finished_lists,
    boxes_and_scores,
    finished_rows,
    predictions,
    offsets_from_cells,
    anchored,
    maps,
    predictions_turned,
)


def readings_of(outputs: Sequence[Output], hints: Hints, match: Match | None = None) -> tuple[Reading, ...]:
    """The ways that fit these outputs, the likeliest first; empty where they cannot be boxes of classes.

    Args:
        match: what they were recognised as: it comes before all others.
    """
    found: list[Reading] = []
    with np.errstate(all="ignore"):  # outputs may hold anything
        for maker in MAKERS:
            found += [reading for reading in maker(outputs, hints) if fits(reading.output, outputs, hints.input_hw)]
    if hints.classes is not None:
        found.sort(key=lambda reading: reading.classes not in {hints.classes, None})
    if match is not None:
        classes = len(match.output.class_ids) or match.classes
        recognised = Reading(f"As recognised: {match.family}", match.output, classes, recognised=True)
        others = (one for one in found if not same_but_for_answers(one.output, match.output))
        found = [recognised, *others]
    return tuple(found[:MAX_READINGS])


def fits(spec: OutputSpec, outputs: Sequence[Output], input_hw: tuple[int, int]) -> bool:
    """These outputs can be decoded as `spec` says, whatever numbers are in them."""
    arrays = {output.name: output.array for output in outputs}
    if any(name not in arrays for name in spec.names):
        return False
    chosen = [arrays[name] for name in spec.names or arrays]
    try:
        for values in (chosen, [np.zeros_like(array) for array in chosen]):
            decode(values, spec, Request(input_hw))
    except (ValueError, IndexError):
        return False
    return True
