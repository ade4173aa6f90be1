"""The part of the questions that asks how a model's pictures are prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.gui.models.answers import COLORS, RESIZES, SCALINGS, SIZES, Answers, anchor_choices
from edgecam.gui.models.choice import Choice

if TYPE_CHECKING:
    from edgecam.detector.description import ModelDescription

AS_SAID = "As the file says"


class InputForm(QObject):
    """Choices of colours, pixel values, fitting, size, and the anchor boxes that go with a size."""

    changed = Signal()

    def __init__(self, description: ModelDescription, parent: QObject) -> None:
        super().__init__(parent)
        self.before = before = Answers.of(description)
        self.color = Choice([text for _, text in COLORS])
        self.color.setCurrentIndex([color for color, _ in COLORS].index(before.color))
        self.scaling = Choice([one.text for one in SCALINGS])
        if before.scaling < 0:
            self.scaling.addItem(AS_SAID)
        self.scaling.setCurrentIndex(before.scaling if before.scaling >= 0 else self.scaling.count() - 1)
        self.scaling.setEnabled(description.input.dtype not in {"uint8", "int8"})
        self.fitting = Choice([text for _, text in RESIZES])
        self.fitting.setCurrentIndex([rule for rule, _ in RESIZES].index(before.resize))
        self.size = Choice()
        if before.input_hw is None:
            self.size.addItem(f"{description.input.width} × {description.input.height}, fixed by the file", None)
            self.size.setEnabled(False)
        else:
            for hw in dict.fromkeys([before.input_hw, *((side, side) for side in SIZES)]):
                self.size.addItem(f"{hw[1]} × {hw[0]}", hw)
        choices = anchor_choices(description)
        self.anchors = Choice([text for _, text in choices])
        known = next((i for i, (anchors, _) in enumerate(choices) if anchors == before.anchors), -1)
        if choices and known < 0:
            self.anchors.addItem(AS_SAID)
        self._anchors = [*(anchors for anchors, _ in choices), before.anchors] if choices else []
        self.anchors.setCurrentIndex(known if known >= 0 else self.anchors.count() - 1)
        for choice in (self.color, self.scaling, self.fitting, self.size, self.anchors):
            choice.currentIndexChanged.connect(self.changed)

    def answers(self, labels: tuple[str, ...]) -> Answers:
        """What the form says now, of a model with these labels."""
        return Answers(
            COLORS[self.color.currentIndex()][0],
            self.scaling.currentIndex() if self.scaling.currentIndex() < len(SCALINGS) else -1,
            RESIZES[self.fitting.currentIndex()][0],
            self.size.currentData(),
            labels,
            self._anchors[self.anchors.currentIndex()] if self._anchors else (),
        )
