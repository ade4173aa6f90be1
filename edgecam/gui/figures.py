"""The figures on the screen, brought up to date four times a second: slow enough to read, and cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from edgecam.camera.base import CameraState

if TYPE_CHECKING:
    from edgecam.gui.cameras.control import CameraControl
    from edgecam.gui.detection_control import DetectionControl
    from edgecam.gui.models.control import ModelControl
    from edgecam.gui.panel.performance import Performance
    from edgecam.gui.panel.side_panel import SidePanel
    from edgecam.gui.picture.live_view import LiveView
    from edgecam.gui.preferences import Preferences
    from edgecam.gui.widgets.status_line import StatusLine
    from edgecam.pipeline.pipeline import Pipeline
    from edgecam.system_load import LoadMeter

PERIOD_MS = 250
RECENT_S = 2.0
LOAD_EVERY = 8  # periods: the load is a mean over two seconds


class Figures(QObject):
    """Reads every meter where it is measured and shows it; nothing is computed from anything else shown."""

    def __init__(
        self, pipeline: Pipeline, load: LoadMeter, preferences: Preferences, view: LiveView, panel: SidePanel,
        status_line: StatusLine, cameras: CameraControl, models: ModelControl, detections: DetectionControl,
        performance: Performance,
    ) -> None:  # fmt: skip
        super().__init__(view)
        self._pipeline, self._load, self._preferences = pipeline, load, preferences
        self._view, self._panel, self._status_line = view, panel, status_line
        self._cameras, self._models, self._detections = cameras, models, detections
        self._performance = performance
        self._ticks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(PERIOD_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()

    def refresh(self) -> None:
        """Shows everything as it is now."""
        self._view.set_figures(self.chips() if self._preferences.value.figures else ())
        self._status_line.show_losses(self._losses())
        self._detections.show_counts()
        self._cameras.refresh()
        if self._ticks % 4 == 0:
            self._performance.note_rates()
            self._models.refresh()
            if self._panel.isVisible():
                self._panel.show_latency(self._pipeline.detect.latency)
        if self._ticks % LOAD_EVERY == 0:
            load = self._load.read()
            self._status_line.show_load(load)
            if self._shows_performance:
                self._performance.read_load(load)
        if self._ticks % 2 == 0 and self._shows_performance:
            self._panel.performance.show_values(self._performance.texts())
            if self._ticks % 4 == 0:
                self._panel.performance.show_series(self._performance.series())
        self._ticks += 1

    @property
    def _shows_performance(self) -> bool:
        return self._preferences.value.performance and self._panel.isVisible()

    def chips(self) -> tuple[tuple[str, str], ...]:
        """(number, unit) of each figure over the picture; none while there is no live picture."""
        chips: list[tuple[str, str]] = []
        state = self._cameras.state
        if state is CameraState.LIVE:
            if self._pipeline.detect.detector is not None:
                chips.append((f"{self._pipeline.detect.rate.rate():.1f}", "detections/s"))
            chips.append((f"{self._view.painted.rate():.1f}", "fps"))
            age = self._view.age.summary(last_s=RECENT_S)
            if age is not None and self._cameras.camera is not None and self._cameras.camera.live:
                chips.append((f"{age.median_ms:.0f}", "ms old"))
        elif state is CameraState.PAUSED:
            chips.append(("Frozen", ""))
        if self._cameras.is_demo and state in {CameraState.LIVE, CameraState.PAUSED}:
            chips.append(("Demo", "bundled clip"))
        return tuple(chips)

    def _losses(self) -> str:
        capture = self._pipeline.capture
        if capture is None or self._cameras.state not in {CameraState.LIVE, CameraState.PAUSED, CameraState.ENDED}:
            return ""
        dropped = f"{capture.camera.dropped} dropped by the camera"
        if self._pipeline.detect.detector is None:
            return dropped
        return f"{dropped} · {self._pipeline.skipped} skipped by the detector"
