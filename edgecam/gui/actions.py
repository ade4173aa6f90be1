"""What one can do in the window, as actions: one place for text, keys, tooltip and state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from edgecam.gui import shortcuts

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from edgecam.gui.shortcuts import Shortcut


class WindowActions:
    """The window's actions; whoever makes them connects them."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self.freeze = self._make("Freeze", shortcuts.FREEZE, checkable=True)
        self.snapshot = self._make("Snapshot", shortcuts.SNAPSHOT)
        self.panel = self._make("Side panel", shortcuts.PANEL, checkable=True)
        self.full_screen = self._make("Full screen", shortcuts.FULL_SCREEN, checkable=True)
        self.leave = self._make("Leave full screen", shortcuts.LEAVE)
        self.camera = self._make("Choose a camera", shortcuts.CAMERA)
        self.camera_settings = self._make("Camera settings…", shortcuts.CAMERA_SETTINGS)
        self.model = self._make("Choose a model", shortcuts.MODEL)
        self.open = self._make("Open…", shortcuts.OPEN)
        self.lower = self._make("Less confidence", shortcuts.LOWER, repeats=True)
        self.higher = self._make("More confidence", shortcuts.HIGHER, repeats=True)
        self.boxes = self._make("Boxes", shortcuts.BOXES, checkable=True)
        self.figures = self._make("Figures", shortcuts.FIGURES, checkable=True)
        self.performance = self._make("Performance", shortcuts.PERFORMANCE, checkable=True)
        self.doctor = self._make("Check this machine…", None)
        self.fit = self._make("Fit to this board…", None)
        self.fit.setToolTip("Measure which model and input size suit this board, and use it")
        self.pictures = self._make("Open the folder of snapshots", None)
        self.help = self._make("Keyboard shortcuts", shortcuts.HELP)
        self.quit = self._make("Quit", shortcuts.QUIT)
        self.realtime = self._make("Play files in real time", None, checkable=True)
        self.realtime.setToolTip("Files keep their own rate; pictures for which the detector has no time are skipped")
        self.repeat = self._make("Repeat files", None, checkable=True)
        self.repeat.setToolTip("Files are played again and again")
        self.more = self._make("More", None)

    def _make(self, text: str, shortcut: Shortcut | None, *, checkable: bool = False, repeats: bool = False) -> QAction:
        """`repeats`: again and again while its key is held."""
        action = QAction(text, self._window)
        action.setCheckable(checkable)
        action.setAutoRepeat(repeats)
        if shortcut is not None:
            action.setShortcuts([QKeySequence(key) for key in shortcut.keys])
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{shortcut.text} ({key})")
        self._window.addAction(action)
        return action
