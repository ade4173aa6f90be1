"""A combo box of the models' dialogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QComboBox

from edgecam.gui.widgets.icons import line_pixmap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

SHOWN = 9  # characters that it is at least wide: names of outputs are long and must not widen a dialog


class Choice(QComboBox):
    """A combo box with an arrow of our own: style sheets can only take one from a file."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        super().__init__()
        self.setMinimumHeight(36)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(SHOWN)
        self.addItems(list(texts))
        self.currentTextChanged.connect(self.setToolTip)

    def fill(self, texts: Sequence[str], current: int) -> None:
        """Other texts, without telling anybody."""
        blocked = self.blockSignals(True)
        self.clear()
        self.addItems(list(texts))
        self.setCurrentIndex(current)
        self.setToolTip(self.currentText())
        self.blockSignals(blocked)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText).name()
        arrow = line_pixmap("chevron", colour, 20, self.devicePixelRatioF())
        QPainter(self).drawPixmap(QPoint(self.width() - 30, (self.height() - 20) // 2), arrow)
