"""Looks for cameras in a thread of its own: asking a device can block."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.errors import EdgecamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.discovery import CameraInfo

log = logging.getLogger(__name__)


class CameraScan(QObject):
    """Tells which cameras there are.

    Args:
        list_cameras: what looks for them.

    Signals:
        scanned: list of CameraInfo, after each scan.
    """

    scanned = Signal(object)

    def __init__(self, list_cameras: Callable[[], list[CameraInfo]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._list_cameras = list_cameras
        self._running = threading.Event()

    def start(self) -> None:
        """Scans once, unless a scan is under way."""
        if not self._running.is_set():
            self._running.set()
            threading.Thread(target=self._scan, name="camera scan", daemon=True).start()

    def _scan(self) -> None:
        try:
            cameras = self._list_cameras()
        except (EdgecamError, OSError) as error:
            log.warning("Cameras could not be listed: %s", error)
            cameras = []
        finally:
            self._running.clear()
        self.scanned.emit(cameras)
