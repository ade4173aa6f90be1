"""The keys of the window, and the list of them that `?` shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Keys and what they do."""

    keys: tuple[str, ...]
    text: str


FREEZE: Final = Shortcut(("Space",), "Freeze or resume the picture")
SNAPSHOT: Final = Shortcut(("S",), "Save a snapshot, with and without boxes")
FULL_SCREEN: Final = Shortcut(("F", "F11"), "Full screen")
LEAVE: Final = Shortcut(("Esc",), "Leave full screen")
PANEL: Final = Shortcut(("P",), "Side panel")
CAMERA: Final = Shortcut(("C",), "Choose a camera")
CAMERA_SETTINGS: Final = Shortcut(("E",), "Settings of the camera")
MODEL: Final = Shortcut(("M",), "Choose a model")
OPEN: Final = Shortcut(("Ctrl+O",), "Open a video, picture or model")
LOWER: Final = Shortcut(("-",), "Less confidence: more boxes")
HIGHER: Final = Shortcut(("+", "="), "More confidence: fewer boxes")
BOXES: Final = Shortcut(("B",), "Show or hide boxes")
FIGURES: Final = Shortcut(("I",), "Show or hide figures")
PERFORMANCE: Final = Shortcut(("R",), "Show or hide performance in the side panel")
HELP: Final = Shortcut(("?", "F1"), "This list")
QUIT: Final = Shortcut(("Ctrl+Q",), "Quit")

ALL: Final = (
    FREEZE, SNAPSHOT, FULL_SCREEN, LEAVE, PANEL, CAMERA, CAMERA_SETTINGS, MODEL, OPEN, LOWER, HIGHER, BOXES,
    FIGURES, PERFORMANCE, HELP, QUIT,
)  # fmt: skip


class ShortcutList(QDialog):
    """A table of keys."""

    def __init__(self, shortcuts: Sequence[Shortcut] = ALL, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(9)
        for row, shortcut in enumerate(shortcuts):
            keys = QLabel("  or  ".join(QKeySequence(key).toString(_NATIVE) for key in shortcut.keys))
            keys.setStyleSheet("font-weight: 600;")
            grid.addWidget(keys, row, 0)
            grid.addWidget(QLabel(shortcut.text), row, 1)
        close = QPushButton("Close")
        close.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(18)
        layout.addLayout(grid)
        layout.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)


_NATIVE: Final = QKeySequence.SequenceFormat.NativeText
