"""Tells the window which cameras there are, whenever that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.camera.hotplug import CameraWatcher

if TYPE_CHECKING:
    from collections.abc import Callable


class CameraWatch(QObject):
    """A watcher whose news arrive in the GUI thread.

    Args:
        make_watcher: makes the watcher, given what it has to call.

    Signals:
        changed: list of CameraInfo; first soon after `start`.
    """

    changed = Signal(object)

    def __init__(
        self, make_watcher: Callable[..., CameraWatcher] = CameraWatcher, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._watcher = make_watcher(self.changed.emit)
        self._running = False

    def start(self) -> None:
        """Begins to watch; again is harmless."""
        if not self._running:
            self._running = True
            self._watcher.start()

    def stop(self) -> None:
        """Ends the watcher's thread."""
        self._watcher.stop()
