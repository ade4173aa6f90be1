"""A slider with its name and value above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable


class ThresholdSlider(QWidget):
    """A value in hundredths.

    Args:
        name: what it is called.
        tip: what it does.
        lowest, highest: hundredths.
        text_of: how a value (0 to 1) is written.
    """

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        tip: str,
        lowest: int,
        highest: int,
        text_of: Callable[[float], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text_of = text_of
        self._value = QLabel()
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(lowest, highest)
        self.slider.setSingleStep(1)
        self.slider.setPageStep(5)
        self.slider.setAccessibleName(name)
        self.setToolTip(tip)
        line = QHBoxLayout()
        line.addWidget(QLabel(name))
        line.addWidget(self._value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.slider)
        self.slider.valueChanged.connect(self._on_changed)

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.slider.value() / 100

    def set_value(self, value: float) -> None:
        """Moves the slider; `changed` tells if that made a difference."""
        self.slider.setValue(round(value * 100))
        self._show()

    def _on_changed(self) -> None:
        self._show()
        self.changed.emit(self.value)

    def _show(self) -> None:
        text = self._text_of(self.value)
        self._value.setText(text)
        self.slider.setAccessibleDescription(text)
