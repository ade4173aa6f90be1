"""The buttons that act on the picture: in the bar, and round ones over the picture where there is no bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from edgecam.gui.widgets.icons import line_icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction

    from edgecam.gui.widgets.theme import Theme


class ActionIcons:
    """Gives each action the drawing that fits its state, in the theme's colour."""

    def __init__(self, icons: Sequence[tuple[QAction, str, str]]) -> None:
        """`icons`: (action, drawing, drawing while it is checked) each."""
        self._icons = icons
        self._theme: Theme | None = None
        for action, _, _ in icons:
            action.toggled.connect(self._refresh)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._refresh()

    def _refresh(self) -> None:
        if self._theme is not None:
            for action, plain, checked in self._icons:
                action.setIcon(line_icon(checked if action.isChecked() else plain, self._theme.text))


def bar_button(action: QAction) -> QToolButton:
    """A square button of the bar."""
    return _button(action, side=40, icon=22)


def menu_button(action: QAction, menu: QMenu) -> QToolButton:
    """A square button of the bar that opens `menu`."""
    button = bar_button(action)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


class FloatingButtons(QWidget):
    """A column of round buttons, large enough for a finger, at the right edge of its parent."""

    SIDE = 56

    def __init__(self, actions: Sequence[QAction], menu_action: QAction, menu: QMenu, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setObjectName("floating")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        for action in actions:
            layout.addWidget(_button(action, side=self.SIDE, icon=24))
        more = _button(menu_action, side=self.SIDE, icon=24)
        more.setMenu(menu)
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout.addWidget(more)
        # Over a picture: always dark, whatever the theme.
        self.setStyleSheet(
            f"QToolButton {{ background: rgba(12, 13, 18, 200); border: none; border-radius: {self.SIDE // 2}px; }}"
            "QToolButton:hover, QToolButton:checked { background: rgba(48, 53, 66, 230); }"
            "QToolButton:focus { border: 2px solid #4db8ff; }"
            "QToolButton::menu-indicator { image: none; }"
        )
        self.hide()

    def place(self) -> None:
        """To the upper right corner of the parent."""
        self.adjustSize()
        self.move(self._parent.width() - self.width() - 12, 12)
        self.raise_()


def _button(action: QAction, *, side: int, icon: int) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setFixedSize(QSize(side, side))
    button.setIconSize(QSize(icon, icon))
    button.setAccessibleName(action.text())
    return button
