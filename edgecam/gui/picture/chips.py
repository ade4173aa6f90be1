"""The figures in the picture's corner, drawn when they change and not for each picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from edgecam.gui.picture.overlay import draw_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOM_WH = (900, 32)  # logical pixels


class Chips:
    """An image of (number, unit) in a row. Four changes per second are drawn; 30 pictures per second copy it."""

    def __init__(self) -> None:
        self._drawn: tuple[Sequence[tuple[str, str]], float] = ((), 0.0)
        self._image: QImage | None = None
        self.places: list[QRectF] = []

    def paint(self, painter: QPainter, figures: Sequence[tuple[str, str]], corner: QPointF, scale: float) -> None:
        """Paints `figures` at `corner`, which stays the same; `scale`: device pixels per logical one."""
        if self._image is None or self._drawn != (figures, scale):
            self._drawn = (figures, scale)
            self._image = self._draw(figures, corner, scale)
        painter.drawImage(corner, self._image)

    def _draw(self, figures: Sequence[tuple[str, str]], corner: QPointF, scale: float) -> QImage:
        width, height = (math.ceil(side * scale) for side in ROOM_WH)
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(scale)
        image.fill(0)
        painter = QPainter(image)
        places = draw_figures(painter, figures, QPointF(0, 0))
        painter.end()
        self.places = [place.translated(corner) for place in places]
        used = math.ceil(max((place.right() for place in places), default=1.0) * scale) + 1
        return image.copy(0, 0, min(used, width), height)
