"""What stands over the picture when there is nothing to see: what happened, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH = 440


class StatePanel(QWidget):
    """A title, a sentence or two, and buttons; centred over its parent by `recentre`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._text = QLabel(), QLabel()
        self._labels: list[str] = []
        for label, name in ((self._title, "stateTitle"), (self._text, "stateText")):
            label.setObjectName(name)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(10)
        self._parent = parent
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        self._layout.addWidget(self._title)
        self._layout.addWidget(self._text)
        self._layout.addSpacing(6)
        self._layout.addLayout(self._buttons)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_state(self, title: str, text: str, actions: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """Shows a state; `actions` are (label, what to do) for each button."""
        labels = [label for label, _ in actions]
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        if labels != self._labels:
            self._labels = labels
            self._rebuild(actions)
        self.recentre()
        self.show()
        self.raise_()

    def set_on_dark(self, on_dark: bool, text_colour: str, dim_colour: str) -> None:
        """Light letters over a veiled picture; the theme's own over an empty view."""
        title, text = ("#f2f4f8", "#b9c0cc") if on_dark else (text_colour, dim_colour)
        self.setStyleSheet(
            f"#stateTitle {{ color: {title}; font-size: 20px; font-weight: 600; }}"
            f"#stateText {{ color: {text}; font-size: 14px; }}"
        )

    def recentre(self) -> None:
        """To the middle of the parent, narrower where there is less room."""
        width = min(WIDTH, self._parent.width() - 24)
        self._text.setFixedWidth(width)
        self._title.setFixedWidth(width)
        self._layout.activate()
        size = QSize(width, self._layout.heightForWidth(width)).expandedTo(self.sizeHint())
        left, top = (self._parent.width() - size.width()) // 2, (self._parent.height() - size.height()) // 2
        self.setGeometry(left, top, size.width(), size.height())

    def _rebuild(self, actions: Sequence[tuple[str, Callable[[], object]]]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons.addStretch()
        for label, act in actions:
            button = QPushButton(label)
            button.clicked.connect(lambda _=False, act=act: act())
            self._buttons.addWidget(button)
        self._buttons.addStretch()
