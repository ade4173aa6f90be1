"""The dialog that chooses which classes are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class ClassFilterDialog(QDialog):
    """A searchable list with a tick per class; acts at once."""

    changed = Signal(frozenset)

    def __init__(self, labels: Sequence[str], hidden: Collection[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Classes shown")
        self.resize(340, 480)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search classes")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._on_search)
        self._list = QListWidget()
        self._list.setUniformItemSizes(True)
        self._list.setAccessibleName("Classes")
        for label in labels:
            item = QListWidgetItem(label)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Unchecked if label in hidden else Qt.CheckState.Checked)
            self._list.addItem(item)
        self._list.itemChanged.connect(self._on_changed)
        self._nothing = QLabel("No class has such a name.")
        self._nothing.setObjectName("dim")
        self._nothing.hide()
        every, none, close = QPushButton("All"), QPushButton("None"), QPushButton("Close")
        every.setToolTip("Tick all classes that the search shows")
        none.setToolTip("Untick all classes that the search shows")
        every.clicked.connect(lambda: self._set_visible(Qt.CheckState.Checked))
        none.clicked.connect(lambda: self._set_visible(Qt.CheckState.Unchecked))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        for button in (every, none):
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self._search)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list)
        layout.addLayout(buttons)

    @property
    def hidden(self) -> frozenset[str]:
        """The labels that are unticked."""
        return frozenset(item.text() for item in self._items() if item.checkState() is Qt.CheckState.Unchecked)

    def _items(self) -> list[QListWidgetItem]:
        return [self._list.item(row) for row in range(self._list.count())]

    def _set_visible(self, state: Qt.CheckState) -> None:
        self._list.blockSignals(True)
        for item in self._items():
            if not item.isHidden():
                item.setCheckState(state)
        self._list.blockSignals(False)
        self._on_changed()

    def _on_changed(self) -> None:
        self.changed.emit(self.hidden)

    def _on_search(self, text: str) -> None:
        wanted = text.casefold().strip()
        for item in self._items():
            item.setHidden(wanted not in item.text().casefold())
        self._nothing.setVisible(all(item.isHidden() for item in self._items()))
