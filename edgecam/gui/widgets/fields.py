"""Check boxes, choices and number fields with marks of the house: style sheets can only show pictures there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStyleOptionSpinBox,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QRect
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QWidget


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


class ComboBox(QComboBox):
    """A choice with an arrow that says so."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        place = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxArrow, self
        )
        _stroke(QPainter(self), place, _arrow(1.0), _mark_colour(self, self.isEnabled()), 1.5)


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
        for part, flag, down in (
            (QStyle.SubControl.SC_SpinBoxUp, QAbstractSpinBox.StepEnabledFlag.StepUpEnabled, -1.0),
            (QStyle.SubControl.SC_SpinBoxDown, QAbstractSpinBox.StepEnabledFlag.StepDownEnabled, 1.0),
        ):
            button = self.style().subControlRect(QStyle.ComplexControl.CC_SpinBox, option, part, self)
            colour = _mark_colour(self, self.isEnabled() and flag in self.stepEnabled())
            _stroke(painter, button, _arrow(down), colour, 1.5)


def _mark_colour(widget: QWidget, usable: bool) -> QColor:
    colour = widget.palette().color(QPalette.ColorRole.WindowText)
    if not usable:
        colour.setAlphaF(0.35)
    return colour


def _arrow(down: float) -> tuple[tuple[float, float], ...]:
    """Points down for 1 and up for -1."""
    return (-3.5, -1.8 * down), (0.0, 1.8 * down), (3.5, -1.8 * down)


def _stroke(painter: QPainter, place: QRect, line: Sequence[tuple[float, float]], colour: QColor, width: float) -> None:
    """Draws a line of points relative to the middle of `place`."""
    middle = QPointF(place.x() + place.width() / 2, place.y() + place.height() / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in line]))
