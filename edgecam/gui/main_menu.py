"""The window's menu, behind the button with three dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from edgecam.settings import THEMES

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from edgecam.gui.actions import WindowActions


class MainMenu(QMenu):
    """What has no button of its own, and the colours."""

    theme_chosen = Signal(str)

    def __init__(self, actions: WindowActions, theme: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.addActions([actions.camera, actions.camera_settings, actions.model, actions.open])
        self.addSeparator()
        self.addActions([actions.boxes, actions.figures, actions.performance, actions.realtime, actions.repeat])
        themes = self.addMenu("Colours")
        group = QActionGroup(themes)
        for name in THEMES:
            action = themes.addAction("Like the system" if name == "system" else name.capitalize())
            action.setCheckable(True)
            action.setChecked(name == theme)
            action.triggered.connect(lambda _=False, name=name: self.theme_chosen.emit(name))
            group.addAction(action)
        self.addSeparator()
        self.addActions([actions.fit, actions.pictures, actions.doctor, actions.help, actions.quit])
