"""Detector latency over the last minute, as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from edgecam.gui.panel.peaks import peaks

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.rates import LatencySeries

POINTS = 120


class LatencyPlot(QWidget):
    """Draws a `LatencySeries`; each point is the largest value of its half second, so that no spike is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ages, self._values = np.empty(0), np.empty(0)
        self._window_s = 60.0
        self._theme: Theme | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Detector latency, last 60 seconds")

    def show_series(self, series: LatencySeries) -> None:
        """Takes the values as they are now."""
        ages, values = series.values()
        self._window_s = series.window_s
        self._ages, self._values = peaks(ages, values, window_s=self._window_s, points=POINTS)
        summary = series.summary()
        self.setAccessibleDescription(
            f"median {summary.median_ms:.0f} ms, 95 % below {summary.p95_ms:.0f} ms" if summary else "no values"
        )
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 48)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None or len(self._values) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # From 0, so that a steady detector is a flat line and a spike looks as large as it is.
        top = max(1.0, float(self._values.max()) * 1.15)
        x = (1 - self._ages / self._window_s) * (self.width() - 2) + 1
        y = self.height() - 2 - self._values / top * (self.height() - 6)
        painter.setPen(QPen(QColor(self._theme.accent), 1.6))
        painter.drawPolyline(QPolygonF([QPointF(px, py) for px, py in zip(x.tolist(), y.tolist(), strict=True)]))
