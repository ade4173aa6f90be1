"""Choosing a model: the picker, the menu, and what happens when one does not load."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QMenu

from edgecam.commands.source_options import model_records
from edgecam.detector.loading import load_detector
from edgecam.detector.recognition.recognition import UnknownOutputs
from edgecam.errors import ModelError
from edgecam.gui.models.answers import SIZES
from edgecam.gui.models.list_dialog import ModelLibraryDialog
from edgecam.gui.models.questions import ModelQuestionsDialog, explain_sidecar
from edgecam.pipeline.detect import DetectorState

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.detector import Detector
    from edgecam.detector.model_library import ModelEntry, ModelLibrary
    from edgecam.detector.recognition.recognition import Recognition
    from edgecam.gui.bridge import Bridge
    from edgecam.gui.detection_control import DetectionControl
    from edgecam.gui.preferences import Preferences
    from edgecam.gui.widgets.picker import Picker
    from edgecam.gui.widgets.toast import Toast
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.pipeline import Pipeline

NONE = "none"


class ModelControl(QObject):
    """Keeps the old model running until the chosen one is loaded and warm."""

    running_changed = Signal()
    chosen_by_hand = Signal()

    def __init__(
        self, pipeline: Pipeline, bridge: Bridge, library: ModelLibrary, preferences: Preferences,
        picker: Picker, detections: DetectionControl, toast: Toast, frames: Callable[[], NDArray[np.uint8] | None], *,
        threads: int | None, provider: str | None,
    ) -> None:  # fmt: skip
        super().__init__(picker)
        self._pipeline, self._library, self._preferences = pipeline, library, preferences
        self._picker, self._detections, self._toast = picker, detections, toast
        self._frames, self._threads, self._provider = frames, threads, provider
        self._records = model_records()
        self._sizes: dict[Path, tuple[int, int]] = {}  # chosen for models whose input is open
        self._asked: set[str] = set()  # models that need not be asked about again
        self._unknown: tuple[ModelEntry, Recognition] | None = None  # the last one that did not load for its outputs
        self._describing = ""
        self.dialog: ModelLibraryDialog | ModelQuestionsDialog | None = None
        self._status: DetectorStatus | None = None
        self._running: Detector | None = None
        self._chosen = NONE
        bridge.detector_changed_in_gui.connect(self._on_status)
        picker.about_to_open.connect(self._fill_menu)
        self._show()

    def choose(self, name_or_path: str, *, ask: bool = True) -> None:
        """Loads a model by name or path, or switches detection off with "none".

        Args:
            ask: what its file does not say is asked for.
        """
        self.chosen_by_hand.emit()
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
        if not ask:
            self._asked.add(str(entry.path))
        self._load(entry, self._threads, self._sizes.get(entry.path))

    def use(self, name: str, *, threads: int, input_hw: tuple[int, int]) -> None:
        """Loads a model as measurements on this machine suggest it.

        Raises:
            ModelError: it is no longer there.
        """
        entry = self._library.find(name)
        self._chosen = entry.name if entry.bundled else str(entry.path)
        self._asked.add(str(entry.path))
        self._load(entry, threads, input_hw)

    def _load(self, entry: ModelEntry, threads: int | None, size: tuple[int, int] | None) -> None:
        records, provider = self._records, self._provider

        def load() -> Detector:
            try:
                return load_detector(entry, records, threads=threads, provider=provider, input_hw=size)
            except UnknownOutputs as unknown:
                self._unknown = (entry, unknown.recognition)  # before the status that tells of the failure
                raise

        self._pipeline.detect.change(entry.name, load)

    def choose_size(self, input_hw: tuple[int, int]) -> None:
        """Loads the running model again for frames of about this (height, width), where its input is open."""
        if self._running is not None:
            self._sizes[self._running.path] = input_hw
            self.choose(str(self._running.path), ask=False)

    def choose_file(self) -> None:
        """Asks for an .onnx file."""
        path, _ = QFileDialog.getOpenFileName(self._picker.window(), "Open a model", "", "Models (*.onnx)")
        if path:
            self.choose(path)

    def open_library(self) -> None:
        """The table of all models."""
        running = self._running.path if self._running else None
        dialog = ModelLibraryDialog(self._library, self._records, running, self._picker.window(),
            threads=self._threads, running_speed=self._speed(),
        )  # fmt: skip
        dialog.chosen.connect(self.choose)
        dialog.description_wanted.connect(self.describe)
        dialog.names_restored.connect(self._on_names_restored)
        self._open(dialog)

    def describe(self, path: str = "") -> None:
        """Asks about a model, the running one without `path`; another one is loaded first."""
        running = self._running
        if running is None or (path and path != str(running.path)):
            if path:
                self._describing = path
                self.choose(path)
            return
        self._asked.add(str(running.path))
        self._ask(self._library.entry_of(running.path), running.recognition)

    def refresh(self) -> None:
        """Brings the measured latency in the picker up to date."""
        if self._status is not None and self._status.state is DetectorState.READY:
            self._show()

    def _open(self, dialog: ModelLibraryDialog | ModelQuestionsDialog) -> None:
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
        self.dialog = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.open()

    def _on_names_restored(self, path: str) -> None:
        if self._running is not None and path == str(self._running.path):
            self.choose(path, ask=False)

    def _on_described(self, path: str) -> None:
        self._toast.say(explain_sidecar(self._library.entry_of(Path(path))))
        self.choose(path)

    def _ask_what_is_unknown(self, detector: Detector) -> None:
        """Asks about a stranger that was chosen just now, once."""
        path = str(detector.path)
        wanted = self._describing == path or (detector.recognition.questions and path not in self._asked)
        self._describing = ""
        if wanted:
            self.describe()

    def _ask_about_outputs(self, status: DetectorStatus) -> bool:
        """Asks how to read a model that did not load because nobody knows; False where it failed for another reason."""
        unknown, self._unknown = self._unknown, None
        if unknown is None or unknown[0].name != status.name:
            return False
        kept = f" {status.detector.name} goes on." if status.detector else ""
        dialog = self._ask(*unknown)
        dialog.rejected.connect(lambda: self._toast.say(f"{status.name} was not loaded.{kept}"))
        return True

    def _ask(self, entry: ModelEntry, recognition: Recognition) -> ModelQuestionsDialog:
        dialog = ModelQuestionsDialog(entry, recognition, self._frames, self._picker.window())
        dialog.saved.connect(self._on_described)
        self._open(dialog)
        return dialog

    def _on_status(self, status: DetectorStatus) -> None:
        self._status = status
        if status.state is DetectorState.FAILED:
            self._describing = ""
            if not self._ask_about_outputs(status):
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
            if status.detector is not None:
                self._ask_what_is_unknown(status.detector)
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

    def _speed(self) -> str:
        """What a frame takes the running model, and at which size."""
        summary = self._pipeline.detect.latency.summary()
        size = self._running.input_hw if self._running else None
        return f"{summary.median_ms:.0f} ms ({size[1]}×{size[0]})" if summary and size else ""

    def _fill_menu(self) -> None:
        menu = self._picker.menu
        menu.clear()
        group = QActionGroup(menu)
        running = self._running.path if self._running else None
        entries = self._library.entries()
        if running is not None and running not in [entry.path for entry in entries]:
            entries.append(self._library.entry_of(running))
        for entry in entries:
            self._add(group, entry.name, str(entry.path), checked=entry.path == running, tip=str(entry.path))
        if not entries:
            menu.addAction("No model is installed").setEnabled(False)
        menu.addSeparator()
        self._add(group, "No model (the picture alone)", NONE, checked=running is None, tip="")
        menu.addAction("Open a model file (.onnx)…", self.choose_file)
        describe = menu.addAction("Describe this model…", lambda: self.describe())
        describe.setEnabled(running is not None)
        menu.addAction("Model library…", self.open_library)
        if self._running is not None:
            self._add_sizes(menu, self._running)

    def _add_sizes(self, menu: QMenu, running: Detector) -> None:
        spec, now = running.description.input, running.base_hw
        if spec.height and spec.width:
            menu.addAction(f"Input {now[1]} × {now[0]}, fixed by the file").setEnabled(False)
            return
        sizes = menu.addMenu(f"Input size: {now[1]} × {now[0]}")
        group = QActionGroup(sizes)
        usual = [(side, side) for side in SIZES if side % spec.stride == 0]
        for height, width in dict.fromkeys([*spec.sizes, *usual, now]):
            action = QAction(f"{width} × {height}", group)
            action.setCheckable(True)
            action.setChecked((height, width) == now)
            action.triggered.connect(lambda _=False, hw=(height, width): self.choose_size(hw))
            sizes.addAction(action)

    def _add(self, group: QActionGroup, text: str, choice: str, *, checked: bool, tip: str) -> None:
        action = QAction(text, group)
        action.setCheckable(True)
        action.setChecked(checked)
        action.setToolTip(f"<qt>{escape(tip)}</qt>" if tip else "")
        action.triggered.connect(lambda: self.choose(choice))
        self._picker.menu.addAction(action)
