"""Check boxes and number fields with marks of the house: style sheets can only show pictures there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QStyle,
    QStyleOptionButton,
    QStyleOptionSpinBox,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QRect
    from PySide6.QtGui import QPaintEvent


class CheckBox(QCheckBox):
    """Ticked, it shows a tick."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        role = QPalette.ColorRole.HighlightedText if self.isEnabled() else QPalette.ColorRole.WindowText
        tick = ((-4.0, 0.2), (-1.3, 3.0), (4.0, -3.2))
        _stroke(QPainter(self), box, tick, self.palette().color(role), 2.0)


class SpinBox(QDoubleSpinBox):
    """A number with arrows; whole numbers unless told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(0)
        self.lineEdit().setTextMargins(8, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOptionSpinBox()
        self.initStyleOption(option)
        painter = QPainter(self)
        for part, flag, up in (
            (QStyle.SubControl.SC_SpinBoxUp, QAbstractSpinBox.StepEnabledFlag.StepUpEnabled, -1.0),
            (QStyle.SubControl.SC_SpinBoxDown, QAbstractSpinBox.StepEnabledFlag.StepDownEnabled, 1.0),
        ):
            button = self.style().subControlRect(QStyle.ComplexControl.CC_SpinBox, option, part, self)
            colour = self.palette().color(QPalette.ColorRole.WindowText)
            if not (self.isEnabled() and flag in self.stepEnabled()):
                colour.setAlphaF(0.35)
            _stroke(painter, button, ((-3.5, -1.8 * up), (0.0, 1.8 * up), (3.5, -1.8 * up)), colour, 1.5)


def _stroke(painter: QPainter, place: QRect, line: Sequence[tuple[float, float]], colour: QColor, width: float) -> None:
    """Draws a line of points relative to the middle of `place`."""
    middle = QPointF(place.x() + place.width() / 2, place.y() + place.height() / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in line]))
