"""The settings while the window is open: changed here, written shortly after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.settings import Settings, SettingsStore

WRITE_AFTER_MS = 800


class Preferences(QObject):
    """Holds the settings; a burst of changes (a slider) is written once."""

    def __init__(self, store: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.value: Settings = store.load()
        self.problem = store.problem
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WRITE_AFTER_MS)
        self._timer.timeout.connect(self.write)

    @property
    def folder(self) -> Path:
        """Where they are kept, and where other things one chose may be kept, too."""
        return self._store.path.parent

    def change(self, **changes: Any) -> None:
        """Takes new values, by field of `Settings`."""
        changed = replace(self.value, **changes)
        if changed != self.value:
            self.value = changed
            self._timer.start()

    def write(self) -> None:
        """Writes the settings now."""
        self._timer.stop()
        self._store.save(self.value)
