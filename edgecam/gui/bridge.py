"""From the worker threads to the GUI thread: the newest thing in a place of its own, and a signal that carries nothing.

A signal that carried frames would queue them without bound while the GUI is busy.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.pipeline.rates import RateMeter

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result
    from edgecam.pipeline.view_feed import ViewFeed


class Bridge(QObject):
    """The pipeline's listener. Its methods run in worker threads, its signals arrive in the GUI thread.

    Attributes:
        feed: the pictures on their way to the view.
    """

    picture_ready = Signal()
    result_ready = Signal()
    camera_changed_in_gui = Signal(object, object)
    camera_refused_in_gui = Signal(object, str)
    detector_changed_in_gui = Signal(object)

    def __init__(self, feed: ViewFeed) -> None:
        super().__init__()
        self.captured = RateMeter()
        self.feed = feed
        self._lock = threading.Lock()
        self._result: Result | None = None
        self._camera: Camera | None = None

    # GUI thread

    def take_result(self) -> Result | None:
        """The newest result not taken yet."""
        with self._lock:
            result, self._result = self._result, None
            return result

    def forget_result(self) -> None:
        """Drops a result that belongs to a former camera or model."""
        self.take_result()

    # Worker threads

    def frame_arrived(self, frame: Frame) -> None:
        self.captured.tick()
        if self.feed.publish(frame):
            self.picture_ready.emit()

    def result_arrived(self, result: Result) -> None:
        with self._lock:
            pending = self._result is not None
            self._result = result
        if not pending:
            self.result_ready.emit()

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        if camera is not self._camera:
            self._camera = camera
            self.feed.reset()
        self.camera_changed_in_gui.emit(camera, status)

    def camera_refused(self, camera: Camera, message: str) -> None:
        self.camera_refused_in_gui.emit(camera, message)

    def detector_changed(self, status: DetectorStatus) -> None:
        self.detector_changed_in_gui.emit(status)
