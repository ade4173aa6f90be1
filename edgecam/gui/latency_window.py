"""A window that flashes a square, shows what the camera sees of it, and notes when each was painted."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from edgecam.detector.selection import Selection
from edgecam.errors import CameraError
from edgecam.gui.bridge import Bridge
from edgecam.gui.picture.live_view import LiveView
from edgecam.latency.matching import Delay, Sight, Toggle, intervals, match
from edgecam.pipeline.pipeline import Pipeline
from edgecam.pipeline.view_feed import ViewFeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPaintEvent

    from edgecam.camera.base import Camera
    from edgecam.frames import Frame

REMEMBERED: Final = 64
PATIENCE_S: Final = 10.0
HEAT: Final = 3.0  # the brightest part of the picture counts: its upper third in contrast over time


class FlashSquare(QWidget):
    """A square that becomes lit and dark by turns; notes when it was painted so."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(320, 320)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.lit = False
        self.toggles: list[Toggle] = []

    def toggle(self) -> None:
        """Changes it at the next painting, which is asked for at once."""
        self.lit = not self.lit
        self.repaint()
        self.toggles.append(Toggle(time.monotonic(), self.lit))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white" if self.lit else "black"))
        painter.end()


class _TimedBridge(Bridge):
    """A bridge that remembers when each frame arrived."""

    def __init__(self, feed: ViewFeed) -> None:
        super().__init__(feed)
        self.arrived: OrderedDict[int, float] = OrderedDict()

    def frame_arrived(self, frame: Frame) -> None:
        self.arrived[frame.frame_id] = time.monotonic()
        while len(self.arrived) > REMEMBERED:
            self.arrived.popitem(last=False)
        super().frame_arrived(frame)


class _WatchedView(LiveView):
    """A view that tells each new picture it has painted."""

    on_painted: Callable[[Frame, float], None] | None = None

    def paintEvent(self, event: QPaintEvent) -> None:
        before = self.frame
        super().paintEvent(event)
        frame = self.frame
        if frame is not None and frame is not before and self.on_painted is not None:
            self.on_painted(frame, time.monotonic())


class LatencyWindow(QWidget):
    """Flashes and watches. The camera has to look at the square."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("edgecam latency")
        self.resize(1100, 560)
        feed = ViewFeed()
        self.bridge = _TimedBridge(feed)
        self.pipeline = Pipeline(self.bridge, Selection())
        self.square = FlashSquare()
        self.view = _WatchedView(feed)
        self.view.on_painted = self._on_painted
        self.bridge.picture_ready.connect(self.view.update)
        self.bridge.camera_changed_in_gui.connect(self._on_camera)
        self._thumbnails: list[tuple[np.ndarray, Sight]] = []
        self._problem = ""
        body = QHBoxLayout()
        body.addWidget(self.square, 1)
        body.addWidget(self.view, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(
            QLabel("Point the camera at the square on the left, so that it fills a good part of the picture.")
        )
        layout.addLayout(body, 1)

    def measure(self, make_camera: Callable[[], Camera], duration_s: float) -> list[Delay]:
        """Flashes for `duration_s` and returns the delays.

        Raises:
            CameraError: the camera fails, or does not see the square.
        """
        self.show()
        self.pipeline.show_camera(make_camera)
        deadline = time.monotonic() + PATIENCE_S
        while not self._thumbnails and not self._problem and time.monotonic() < deadline:
            self._let_run(0.02)
        pauses = intervals()
        started = time.monotonic()
        while time.monotonic() - started < duration_s and not self._problem and self.isVisible():
            self.square.toggle()
            self._let_run(next(pauses))
        if self._problem or not self._thumbnails:
            raise CameraError(self._problem or "The camera sent no picture.")
        return match(self.square.toggles, self._sights())

    def close_down(self) -> None:
        """Closes the window and ends its threads."""
        self.close()
        self.pipeline.stop()

    def _sights(self) -> list[Sight]:
        """The part of the picture that changes most over time is where the square is."""
        stack = np.stack([thumbnail for thumbnail, _ in self._thumbnails]).astype(np.float32)
        change = stack.std(axis=0)
        place = change >= change.max() / HEAT
        return [
            Sight(float(thumbnail[place].mean()), sight.captured_at, sight.arrived_at, sight.painted_at)
            for thumbnail, sight in self._thumbnails
        ]

    def _on_painted(self, frame: Frame, painted_at: float) -> None:
        arrived_at = self.bridge.arrived.get(frame.frame_id, painted_at)
        step_y, step_x = max(1, frame.image.shape[0] // 24), max(1, frame.image.shape[1] // 32)
        thumbnail = frame.image[::step_y, ::step_x].mean(axis=2).astype(np.uint8)
        self._thumbnails.append((thumbnail, Sight(0.0, frame.captured_at, arrived_at, painted_at)))

    def _on_camera(self, camera: Camera, status: object) -> None:
        message = getattr(status, "message", "")
        if message and not self._thumbnails:
            self._problem = message

    def _let_run(self, seconds: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(max(0, round(seconds * 1000)), loop.quit)
        loop.exec()
