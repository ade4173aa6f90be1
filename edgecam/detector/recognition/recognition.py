"""What was made of a file: the result of recognising it, or of failing to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgecam.errors import ModelError

if TYPE_CHECKING:
    from edgecam.detector.description import ModelDescription
    from edgecam.detector.recognition.match import Question
    from edgecam.detector.recognition.reading import Reading


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was made of a file.

    Attributes:
        description: how it is run.
        family: of models, as a person calls it.
        reasons: what it was recognised by, most important first.
        questions: what is a guess and should be asked.
        readings: the ways to read its outputs that fit, for a person who knows better; what it was recognised as
            comes first, or else the likeliest. Empty for edgecam's own.
    """

    description: ModelDescription
    family: str
    reasons: tuple[str, ...] = ()
    questions: tuple[Question, ...] = field(default=())
    readings: tuple[Reading, ...] = field(default=())


class UnknownOutputs(ModelError):
    """A model runs, but its outputs are of no known kind: a person has to say how to read them.

    Attributes:
        recognition: the likeliest of the readings that fit, as a beginning.
    """

    def __init__(self, message: str, recognition: Recognition) -> None:
        super().__init__(message)
        self.recognition = recognition
