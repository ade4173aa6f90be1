"""A figure's last minute as a line, as high as its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from edgecam.gui.panel.peaks import peaks

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.rates import Series

POINTS: Final = 30
WIDTH, HEIGHT = 60, 16
LARGEST_GAP: Final = 3  # points: what lies further apart was not measured between and is not joined
MARGIN: Final = 1.5


class Sparkline(QWidget):
    """Draws a `Series` from 0 up; each point is the largest value of its two seconds, so that no spike is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[tuple[tuple[float, float], ...]] = []
        self._theme: Theme | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def lines(self) -> list[tuple[tuple[float, float], ...]]:
        """What is drawn: unbroken lines of (x from 0 = a minute ago to 1 = now, y from 0 to 1 = its largest value)."""
        return self._lines

    def show_series(self, series: Series) -> None:
        """Takes the values as they are now."""
        ages, values = peaks(*series.values(), window_s=series.window_s, points=POINTS)
        top = max(float(values.max()), 1e-9) if len(values) else 1.0
        x, y = 1 - ages / series.window_s, values / top
        breaks = np.flatnonzero(np.diff(x) > (LARGEST_GAP + 0.5) / POINTS) + 1
        lines = [
            tuple(zip(xs.tolist(), ys.tolist(), strict=True))
            for xs, ys in zip(np.split(x, breaks), np.split(y, breaks), strict=True)
            if len(xs)
        ]
        if lines != self._lines:
            self._lines = lines
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        floor, width, height = self.height() - MARGIN, self.width() - 2 * MARGIN, self.height() - 2 * MARGIN
        painter.setPen(QPen(QColor(self._theme.groove), 1))
        painter.drawLine(QLineF(MARGIN, floor, MARGIN + width, floor))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.accent), 1.3))
        for line in self._lines:
            points = [QPointF(MARGIN + x * width, floor - y * height) for x, y in line]
            if len(points) == 1:
                painter.drawPoint(points[0])
            else:
                painter.drawPolyline(QPolygonF(points))
