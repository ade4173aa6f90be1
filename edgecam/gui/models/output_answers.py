"""The answers that a person can give about how a model's outputs are read. No Qt."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edgecam.detector.description import Activation, BoxFormat, Decoder
from edgecam.detector.recognition.reading import Reading, same_but_for_answers, with_box

if TYPE_CHECKING:
    from edgecam.detector.description import ModelDescription, OutputSpec
    from edgecam.detector.recognition.recognition import Recognition


class Numbering(enum.Enum):
    """Which scores, or class numbers, have a label."""

    AS_SAID = "as said"
    ALL = "all"
    NOT_FIRST = "not the first"
    NOT_LAST = "not the last"


BOXES: Final = (
    (BoxFormat.CXCYWH, "Centre and size"),
    (BoxFormat.XYXY, "Two corners"),
    (BoxFormat.YXYX, "Two corners, y first"),
    (BoxFormat.XYWH, "Corner and size"),
)
UNITS: Final = ((False, "Pixels of the input"), (True, "Fractions, 0 to 1"))
ACTIVATIONS: Final = (
    (Activation.NONE, "Probabilities, 0 to 1"),
    (Activation.SIGMOID, "Logits, for a sigmoid"),
    (Activation.SOFTMAX, "Logits, for a softmax"),
)
NUMBERINGS: Final = (
    (Numbering.ALL, "Every one is a class"),
    (Numbering.NOT_FIRST, "The first is the background"),
    (Numbering.NOT_LAST, "The last is the background"),
)
NUMBERINGS_OF_FINISHED: Final = ((Numbering.ALL, "Numbered from 0"), (Numbering.NOT_FIRST, "Numbered from 1"))

FINISHED: Final = frozenset({Decoder.ROWS, Decoder.LISTS})
# What counts for which decoder.
WITH_BOX: Final = FINISHED | {Decoder.DENSE, Decoder.BOXES_SCORES}
WITH_SIGMOID: Final = WITH_BOX | {Decoder.GRID, Decoder.GFL, Decoder.ANCHORS, Decoder.OFFSETS}
WITH_SOFTMAX: Final = frozenset({Decoder.DENSE, Decoder.BOXES_SCORES})
WITH_NUMBERING: Final = WITH_BOX | {Decoder.GRID, Decoder.ANCHORS, Decoder.OFFSETS, Decoder.FASTESTDET}


@dataclass(frozen=True, slots=True)
class OutputAnswers:
    """One set of answers.

    Attributes:
        reading: what is read in which output.
        box, normalized, activation: see `OutputSpec`.
    """

    reading: Reading
    box: BoxFormat
    normalized: bool
    activation: Activation
    numbering: Numbering

    @classmethod
    def of(cls, reading: Reading) -> OutputAnswers:
        """What a reading takes for likely."""
        spec = reading.output
        return cls(reading, spec.box, spec.normalized, spec.activation, _numbering(spec))

    @property
    def classes(self) -> int | None:
        """How many labels there must be; None where one cannot see it."""
        raw, ids = self.reading.classes, self.reading.output.class_ids
        if self.reading.output.decoder in FINISHED:
            return None
        if self.numbering is Numbering.AS_SAID:
            return max(ids) + 1
        return raw if raw is None or self.numbering is Numbering.ALL else raw - 1

    def spec(self, labels: int) -> OutputSpec:
        """The outputs of a model with so many labels."""
        spec = self.reading.output
        class_ids: tuple[int, ...] = ()
        if self.numbering is Numbering.AS_SAID:
            class_ids = spec.class_ids
        elif self.numbering is Numbering.NOT_FIRST:
            class_ids = (-1, *range(labels))
        elif self.numbering is Numbering.NOT_LAST:
            class_ids = (*range(labels), -1)
        return replace(
            spec,
            box=self.box,
            normalized=self.normalized,
            activation=self.activation,
            columns=with_box(spec.columns, self.box) if spec.columns else (),
            class_ids=class_ids,
        )


def readings_for(recognition: Recognition) -> tuple[tuple[Reading, ...], int]:
    """The readings to choose from, and which one is in use; none for edgecam's own models."""
    readings, spec = list(recognition.readings), recognition.description.output
    if not readings:
        return (), 0
    current = next((i for i, one in enumerate(readings) if same_but_for_answers(one.output, spec)), -1)
    if current < 0:
        readings.insert(0, Reading("As the sidecar says", spec, _raw_classes(recognition.description)))
        current = 0
    # With the answers that were given before.
    known = readings[current]
    columns_box = _box_of_columns(spec)
    readings[current] = replace(known, output=replace(spec, box=columns_box) if columns_box else spec)
    return tuple(readings), current


def _raw_classes(description: ModelDescription) -> int | None:
    if description.output.decoder in FINISHED:
        return None
    return len(description.output.class_ids) or len(description.labels)


def _numbering(spec: OutputSpec) -> Numbering:
    ids, count = spec.class_ids, len(spec.class_ids)
    if not ids:
        return Numbering.ALL
    if ids == (-1, *range(count - 1)):
        return Numbering.NOT_FIRST
    return Numbering.NOT_LAST if ids == (*range(count - 1), -1) else Numbering.AS_SAID


def _box_of_columns(spec: OutputSpec) -> BoxFormat | None:
    """The box of finished rows, which their columns say."""
    boxes = (box for box, _ in BOXES if spec.columns and with_box(spec.columns, box) == spec.columns)
    return next(boxes, None)
