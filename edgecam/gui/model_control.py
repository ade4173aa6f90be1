"""Choosing a model: the picker, the menu, and what happens when one does not load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog

from edgecam.detector.detector import Detector
from edgecam.errors import ModelError
from edgecam.pipeline.detect import DetectorState

if TYPE_CHECKING:
    from edgecam.detector.library import ModelLibrary
    from edgecam.gui.bridge import Bridge
    from edgecam.gui.detection_control import DetectionControl
    from edgecam.gui.picker import Picker
    from edgecam.gui.preferences import Preferences
    from edgecam.gui.toast import Toast
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.pipeline import Pipeline

NONE = "none"


class ModelControl(QObject):
    """Keeps the old model running until the chosen one is loaded and warm."""

    running_changed = Signal()

    def __init__(
        self, pipeline: Pipeline, bridge: Bridge, library: ModelLibrary, preferences: Preferences,
        picker: Picker, detections: DetectionControl, toast: Toast, *, threads: int | None, provider: str | None,
    ) -> None:  # fmt: skip
        super().__init__(picker)
        self._pipeline, self._library, self._preferences = pipeline, library, preferences
        self._picker, self._detections, self._toast = picker, detections, toast
        self._threads, self._provider = threads, provider
        self._status: DetectorStatus | None = None
        self._running: Detector | None = None
        self._chosen = NONE
        bridge.detector_changed_in_gui.connect(self._on_status)
        picker.about_to_open.connect(self._fill_menu)
        self._show()

    def choose(self, name_or_path: str) -> None:
        """Loads a model by name or path, or switches detection off with "none"."""
        if name_or_path == NONE:
            self._chosen = NONE
            self._preferences.change(model=NONE)
            self._pipeline.detect.change("", None)
            return
        try:
            entry = self._library.find(name_or_path) if name_or_path else self._library.default()
        except ModelError as error:
            self._toast.say(str(error))
            return
        self._chosen = entry.name if entry.bundled else str(entry.path)
        path, threads, provider = entry.path, self._threads, self._provider
        self._pipeline.detect.change(entry.name, lambda: Detector(path, threads=threads, provider=provider))

    def choose_file(self) -> None:
        """Asks for an .onnx file."""
        path, _ = QFileDialog.getOpenFileName(self._picker.window(), "Open a model", "", "Models (*.onnx)")
        if path:
            self.choose(path)

    def refresh(self) -> None:
        """Brings the measured latency in the picker up to date."""
        if self._status is not None and self._status.state is DetectorState.READY:
            self._show()

    def _on_status(self, status: DetectorStatus) -> None:
        self._status = status
        if status.state is DetectorState.FAILED:
            kept = f" {status.detector.name} goes on." if status.detector else ""
            self._toast.say(f"{status.message}{kept}")
        elif status.state is DetectorState.READY:
            self._preferences.change(model=self._chosen)
        if status.detector is not self._running:
            self._running = status.detector
            if status.detector is None:
                self._detections.use_no_model()
            else:
                self._detections.use_model(status.detector.labels, status.detector.description.thresholds)
            self.running_changed.emit()
        self._show()

    def _show(self) -> None:
        status = self._status
        if status is not None and status.state is DetectorState.LOADING:
            self._picker.show_choice(status.name, "loading …")
        elif status is None or status.detector is None:
            self._picker.show_choice("No model", "the picture alone")
        else:
            description = status.detector.description
            count = len(description.labels)
            facts = [f"{count} class{'' if count == 1 else 'es'}", description.precision]
            summary = self._pipeline.detect.latency.summary()
            facts.append(f"{summary.median_ms:.0f} ms here" if summary else "")
            self._picker.show_choice(status.detector.name, " · ".join(fact for fact in facts if fact))

    def _fill_menu(self) -> None:
        menu = self._picker.menu
        menu.clear()
        group = QActionGroup(menu)
        running = self._running.path if self._running else None
        entries = self._library.entries()
        if running is not None and running not in [entry.path for entry in entries]:
            entries.append(self._library.find(str(running)))
        for entry in entries:
            self._add(group, entry.name, str(entry.path), checked=entry.path == running, tip=str(entry.path))
        if not entries:
            menu.addAction("No model is installed").setEnabled(False)
        menu.addSeparator()
        self._add(group, "No model (the picture alone)", NONE, checked=running is None, tip="")
        menu.addAction("Open a model file (.onnx)…", self.choose_file)

    def _add(self, group: QActionGroup, text: str, choice: str, *, checked: bool, tip: str) -> None:
        action = QAction(text, group)
        action.setCheckable(True)
        action.setChecked(checked)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self.choose(choice))
        self._picker.menu.addAction(action)
