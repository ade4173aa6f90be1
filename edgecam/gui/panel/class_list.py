"""The classes in view, with how many there are of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from edgecam.gui.widgets.theme import class_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from edgecam.gui.widgets.theme import Theme

ROW = 30


class ClassList(QWidget):
    """Painted in one go: widgets per class would flicker and cost more, at every result."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[int, str, int]] = []
        self._empty_text = ""
        self._theme: Theme | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Classes in view")

    def show_counts(self, counts: dict[int, int], labels: Sequence[str], empty_text: str) -> None:
        """`counts` as `Detections.counts` gives them; `empty_text` stands there when there is none."""
        rows = [(class_id, labels[class_id], count) for class_id, count in counts.items()]
        if rows == self._rows and empty_text == self._empty_text:
            return
        taller = len(rows) != len(self._rows)
        self._rows, self._empty_text = rows, empty_text
        self.setAccessibleDescription(", ".join(f"{count} {label}" for _, label, count in rows) or empty_text)
        if taller:
            self.updateGeometry()
        self.update()

    @property
    def rows(self) -> list[tuple[str, int]]:
        """(label, count) as shown."""
        return [(label, count) for _, label, count in self._rows]

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, max(2, len(self._rows)) * ROW)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(14)
        painter.setFont(font)
        if not self._rows:
            painter.setPen(QColor(self._theme.dim))
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(0, 6, 0, 0), flags, self._empty_text)
            return
        metrics = QFontMetrics(font)
        for i, (class_id, label, count) in enumerate(self._rows):
            row = QRect(0, i * ROW, self.width(), ROW)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(class_colour(class_id))
            painter.drawRoundedRect(QRect(0, row.center().y() - 4, 10, 10), 3, 3)
            painter.setPen(QColor(self._theme.dim))
            number = str(count)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, number)
            painter.setPen(QColor(self._theme.text))
            room = row.adjusted(20, 0, -metrics.horizontalAdvance(number) - 10, 0)
            name = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
