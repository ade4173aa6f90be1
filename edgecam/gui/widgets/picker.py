"""A button with an icon, a name and a line of facts, that opens a menu: the camera and the model picker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from edgecam.gui.widgets.icons import line_pixmap

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from edgecam.gui.widgets.theme import Theme


class Picker(QAbstractButton):
    """Shows what is chosen; a click, Space or Down opens `menu`."""

    about_to_open = Signal()

    def __init__(self, icon_name: str, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picker")
        self._icon_name, self._what = icon_name, what
        self._title, self._facts = "", ""
        self._theme: Theme | None = None
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.open_menu)

    def show_choice(self, title: str, facts: str) -> None:
        """Name and line of facts, such as "1280 × 720 · MJPG · 30 fps"."""
        if (title, facts) == (self._title, self._facts):
            return
        self._title, self._facts = title, facts
        self.setAccessibleName(f"{self._what}: {title}")
        self.setAccessibleDescription(facts)
        self.setToolTip(f"{title}\n{facts}" if facts else title)
        self.updateGeometry()
        self.update()

    @property
    def title(self) -> str:
        return self._title

    @property
    def facts(self) -> str:
        return self._facts

    def set_icon(self, icon_name: str) -> None:
        """Changes the drawing on the left."""
        self._icon_name = icon_name
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def open_menu(self) -> None:
        """Opens the menu below the button."""
        self.about_to_open.emit()
        if self.isVisible():
            self.menu.setMinimumWidth(self.width())
            place = self.mapToGlobal(QPoint(0, self.height() + 4))
        else:  # there is no bar in full screen: over the middle of the picture
            size, window = self.menu.sizeHint(), self.window()
            middle = window.rect().center()
            place = window.mapToGlobal(QPoint(middle.x() - size.width() // 2, middle.y() - size.height() // 2))
        self.menu.popup(place)

    # Qt

    def sizeHint(self) -> QSize:
        title, facts = self._fonts()
        width = max(
            QFontMetrics(title).horizontalAdvance(self._title), QFontMetrics(facts).horizontalAdvance(self._facts)
        )
        return QSize(min(360, max(200, width + 84)), 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(130, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theme
        if theme is None:
            return
        frame = self.rect().adjusted(1, 1, -1, -1)
        painter.setPen(QColor(theme.accent if self.hasFocus() else theme.line))
        painter.setBrush(QColor(theme.hover if self.underMouse() or self.isDown() else theme.raised))
        painter.drawRoundedRect(frame, 8, 8)
        self._draw_icon(painter, self._icon_name, theme.text, 12)
        self._draw_icon(painter, "chevron", theme.dim, self.width() - 30)
        title, facts = self._fonts()
        room = QRect(42, 0, self.width() - 42 - 34, self.height())
        self._draw_line(painter, title, theme.text, self._title, room.adjusted(0, 4, 0, -room.height() // 2))
        self._draw_line(painter, facts, theme.dim, self._facts, room.adjusted(0, room.height() // 2, 0, -4))

    def _draw_icon(self, painter: QPainter, name: str, colour: str, x: int) -> None:
        pixmap = line_pixmap(name, colour, 20, self.devicePixelRatioF())
        painter.drawPixmap(QPoint(x, (self.height() - 20) // 2), pixmap)

    def _draw_line(self, painter: QPainter, font: QFont, colour: str, text: str, room: QRect) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _fonts(self) -> tuple[QFont, QFont]:
        title, facts = QFont(self.font()), QFont(self.font())
        title.setPixelSize(14)
        title.setWeight(QFont.Weight.DemiBold)
        facts.setPixelSize(12)
        return title, facts
