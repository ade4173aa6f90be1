"""Short messages over the picture: one place where the window says that something went wrong or was done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from edgecam.gui.widgets.icons import line_icon

if TYPE_CHECKING:
    from edgecam.gui.widgets.theme import Theme

SHOWN_MS = 6000
WIDTH = 520


class Toast(QFrame):
    """Shows one message at the lower edge of its parent; a new one replaces it, a repeated one does not flicker."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._close = QToolButton()
        self._close.setFixedSize(QSize(28, 28))
        self._close.setToolTip("Dismiss")
        self._close.setAccessibleName("Dismiss message")
        self._close.clicked.connect(self.hide)
        self._parent = parent
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(16, 10, 8, 10)
        self._layout.addWidget(self._text)
        self._layout.addWidget(self._close, alignment=Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.shown_at = 0.0
        self.hide()

    @property
    def text(self) -> str:
        """The message on the screen; "" when there is none."""
        return self._text.text() if self.isVisible() else ""

    def say(self, text: str, *, lasting: bool = False) -> None:
        """Shows `text` for some seconds, or until it is dismissed."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self.shown_at = time.monotonic()
        if lasting:
            self._timer.stop()
        else:
            self._timer.start(max(SHOWN_MS, 60 * len(text)))
        self.place()
        self.show()
        self.raise_()

    def place(self) -> None:
        """To the lower edge of the parent."""
        width = min(WIDTH, self._parent.width() - 24)
        self.setFixedWidth(width)
        for widget in (self, self._text):
            widget.ensurePolished()  # the first message would be measured in another font
        height = max(48, self.heightForWidth(width))
        self.setGeometry((self._parent.width() - width) // 2, self._parent.height() - height - 16, width, height)

    def apply_theme(self, theme: Theme) -> None:
        self._close.setIcon(line_icon("close", theme.dim))
        self.setStyleSheet(
            f"#toast {{ background: {theme.raised}; border: 1px solid {theme.line}; border-radius: 10px; }}"
        )
