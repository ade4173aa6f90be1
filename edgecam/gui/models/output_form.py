"""The part of the questions that asks how a model's outputs are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from edgecam.detector.description import Activation
from edgecam.gui.models.choice import Choice
from edgecam.gui.models.output_answers import (
    ACTIVATIONS,
    BOXES,
    FINISHED,
    NUMBERINGS,
    NUMBERINGS_OF_FINISHED,
    UNITS,
    WITH_BOX,
    WITH_NUMBERING,
    WITH_SIGMOID,
    WITH_SOFTMAX,
    OutputAnswers,
    readings_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detector.recognition.recognition import Recognition

AS_SAID = "As the file says"


class OutputForm(QObject):
    """Five choices; those that do not count for the reading chosen are switched off. Empty for edgecam's own models."""

    changed = Signal()
    reading_changed = Signal()

    def __init__(self, recognition: Recognition, parent: QObject) -> None:
        super().__init__(parent)
        self.readings, current = readings_for(recognition)
        self.reading, self.box, self.units, self.scores, self.numbering = (Choice() for _ in range(5))
        self._details: dict[Choice, tuple[Any, ...]] = {}
        self.reading.fill([one.text for one in self.readings], current)
        if self.readings:
            self._take_guesses()
        self.before = self.answers
        self.reading.currentIndexChanged.connect(self._on_reading)
        for choice in (self.box, self.units, self.scores, self.numbering):
            choice.currentIndexChanged.connect(self.changed)
        self.numbering.currentIndexChanged.connect(self.reading_changed)

    @property
    def answers(self) -> OutputAnswers | None:
        """What the form says now; None where there is nothing to say."""
        if not self.readings:
            return None
        box, units, scores, numbering = (
            self._details[choice][choice.currentIndex()]
            for choice in (self.box, self.units, self.scores, self.numbering)
        )
        return OutputAnswers(self.readings[self.reading.currentIndex()], box, units, scores, numbering)

    def _on_reading(self) -> None:
        self._take_guesses()
        self.reading_changed.emit()
        self.changed.emit()

    def _take_guesses(self) -> None:
        """Fills the other choices with what counts for the reading, and what it takes for likely."""
        guess = OutputAnswers.of(self.readings[self.reading.currentIndex()])
        decoder = guess.reading.output.decoder
        scores = [
            (one, text)
            for one, text in ACTIVATIONS
            if one is guess.activation
            or one is Activation.NONE
            or decoder in (WITH_SOFTMAX if one is Activation.SOFTMAX else WITH_SIGMOID)
        ]
        numberings = list(NUMBERINGS_OF_FINISHED if decoder in FINISHED else NUMBERINGS)
        if guess.numbering not in [one for one, _ in numberings]:
            numberings.append((guess.numbering, AS_SAID))
        self._fill(self.box, BOXES, guess.box, on=decoder in WITH_BOX)
        self._fill(self.units, UNITS, guess.normalized, on=decoder in WITH_BOX)
        self._fill(self.scores, scores, guess.activation, on=decoder in WITH_SIGMOID)
        self._fill(self.numbering, numberings, guess.numbering, on=decoder in WITH_NUMBERING)

    def _fill(self, choice: Choice, entries: Sequence[tuple[Any, str]], guess: Any, *, on: bool) -> None:
        values = tuple(value for value, _ in entries)
        self._details[choice] = values
        choice.fill([text for _, text in entries], values.index(guess))
        choice.setEnabled(on)
