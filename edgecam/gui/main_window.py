"""The window: a bar, the picture, a panel at the side, a status line; nothing but the picture in full screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from edgecam.camera.memory import CameraMemory, default_path
from edgecam.camera.opening import camera_for
from edgecam.detector.model_library import SUFFIX
from edgecam.detector.selection import Selection
from edgecam.gui.actions import WindowActions
from edgecam.gui.bridge import Bridge
from edgecam.gui.cameras.control import CameraControl
from edgecam.gui.cameras.menu import VIDEO_FILTER
from edgecam.gui.cameras.tuning import CameraTuning
from edgecam.gui.detection_control import DetectionControl
from edgecam.gui.figures import Figures
from edgecam.gui.fit.control import FitControl
from edgecam.gui.main_menu import MainMenu
from edgecam.gui.models.control import ModelControl
from edgecam.gui.panel.performance import Performance
from edgecam.gui.panel.side_panel import SidePanel
from edgecam.gui.picture.live_view import LiveView
from edgecam.gui.picture.snapshots import SnapshotSaver
from edgecam.gui.picture.state_panel import StatePanel
from edgecam.gui.shortcuts import ShortcutList
from edgecam.gui.widgets.picker import Picker
from edgecam.gui.widgets.status_line import StatusLine
from edgecam.gui.widgets.theme import apply_theme
from edgecam.gui.widgets.toast import Toast
from edgecam.gui.window_layout import WindowLayout
from edgecam.pipeline.pipeline import Pipeline
from edgecam.pipeline.view_feed import ViewFeed
from edgecam.system_load import LoadMeter, ThreadLoadMeter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent

    from edgecam.camera.base import Camera
    from edgecam.detector.model_library import ModelLibrary
    from edgecam.gui.cameras.watch import CameraWatch
    from edgecam.gui.preferences import Preferences

MINIMUM_WH = (480, 360)


class MainWindow(QWidget):
    """Everything is wired in `__init__`, from the pipeline down to the figures.

    Args:
        preferences, library, watch: what is remembered, which models and which cameras there are.
        pictures: where snapshots go.
        camera_for: what makes a camera of an address.
        threads, provider: of the detector; None for the default.
        fps: of a folder of pictures; None for the default.
    """

    closed = Signal()

    def __init__(
        self, preferences: Preferences, library: ModelLibrary, watch: CameraWatch, pictures: Path, *,
        camera_for: Callable[..., Camera] = camera_for,
        threads: int | None = None, provider: str | None = None, fps: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.setWindowTitle("edgecam")
        self.setAcceptDrops(True)
        self.setMinimumSize(*MINIMUM_WH)
        room = self.screen().availableSize()
        self.resize(QSize(*preferences.value.window_wh).boundedTo(room))
        self._normal = self.geometry()
        self._compact_panel = False
        self._watch = watch
        self.preferences = preferences
        feed = ViewFeed()
        self.bridge = Bridge(feed)
        self.pipeline = Pipeline(self.bridge, Selection())

        self.actions_ = WindowActions(self)
        self.view = LiveView(feed)
        self.state_panel = StatePanel(self.view)
        self.toast = Toast(self.view)
        self.panel = SidePanel()
        self.status_line = StatusLine()
        self.camera_picker = Picker("camera", "Camera")
        self.model_picker = Picker("model", "Model")
        self.menu = MainMenu(self.actions_, preferences.value.theme, self)

        self.detections = DetectionControl(self.pipeline, self.bridge, preferences, self.view, self.panel)
        self.models = ModelControl(
            self.pipeline, self.bridge, library, preferences, self.model_picker, self.detections, self.toast,
            self._newest_image, threads=threads, provider=provider,
        )  # fmt: skip
        memory = CameraMemory(default_path())
        self.cameras = CameraControl(
            self.pipeline, self.bridge, preferences, watch, self.camera_picker, self.view, self.state_panel,
            self.status_line, self.detections, self.toast, camera_for=camera_for, memory=memory, fps=fps,
        )  # fmt: skip
        self.fit = FitControl(self.pipeline, self.models, self.panel, self.toast, preferences.folder / "fit.json")
        self.tuning = CameraTuning(self.cameras, memory, self.toast, self)
        self.snapshots = SnapshotSaver(pictures, self)
        self.figures = Figures(
            self.pipeline, LoadMeter(), preferences, self.view, self.panel, self.status_line, self.cameras,
            self.models, self.detections, Performance(self.pipeline, feed, self.view, ThreadLoadMeter()),
        )  # fmt: skip

        self.parts = WindowLayout(
            self, self.actions_, self.menu, self.camera_picker, self.model_picker, self.view, self.panel,
            self.status_line, self.state_panel, self.toast,
        )  # fmt: skip
        self._show_preferences()
        self._connect()
        self.apply_theme()
        if preferences.problem:
            self.toast.say(preferences.problem)

    def _show_preferences(self) -> None:
        settings, actions = self.preferences.value, self.actions_
        actions.panel.setChecked(settings.panel)
        actions.boxes.setChecked(settings.boxes)
        actions.figures.setChecked(settings.figures)
        actions.performance.setChecked(settings.performance)
        self.panel.show_performance(settings.performance)
        actions.realtime.setChecked(settings.realtime)
        actions.repeat.setChecked(settings.repeat)
        self.view.set_boxes_visible(settings.boxes)

    def _connect(self) -> None:
        actions = self.actions_
        self.bridge.picture_ready.connect(self.view.update)
        actions.freeze.triggered.connect(self.cameras.toggle_freeze)
        actions.snapshot.triggered.connect(self.take_snapshot)
        actions.panel.toggled.connect(self._on_panel)
        actions.full_screen.toggled.connect(self._on_full_screen)
        actions.leave.triggered.connect(lambda: actions.full_screen.setChecked(False))
        actions.camera.triggered.connect(self.camera_picker.open_menu)
        actions.camera_settings.triggered.connect(self.tuning.open)
        actions.model.triggered.connect(self.model_picker.open_menu)
        actions.open.triggered.connect(self._open_any)
        actions.lower.triggered.connect(lambda: self.detections.step_score(-0.05))
        actions.higher.triggered.connect(lambda: self.detections.step_score(0.05))
        actions.boxes.toggled.connect(self._on_boxes)
        actions.figures.toggled.connect(self._on_figures)
        actions.performance.toggled.connect(self._on_performance)
        actions.doctor.triggered.connect(self._open_doctor)
        actions.fit.triggered.connect(self.fit.open)
        for action in (actions.realtime, actions.repeat):
            action.toggled.connect(self._on_playback)
        actions.help.triggered.connect(lambda: ShortcutList(parent=self).open())
        actions.pictures.triggered.connect(self.snapshots.open_folder)
        actions.quit.triggered.connect(self.close)
        self.menu.theme_chosen.connect(self.choose_theme)
        self.cameras.state_changed.connect(self._on_camera_state)
        self.view.double_clicked.connect(actions.full_screen.toggle)
        self.snapshots.saved.connect(self.toast.say)
        self.snapshots.failed.connect(self.toast.say)
        QApplication.styleHints().colorSchemeChanged.connect(self._on_system_theme)

    # What the user does

    def open_path(self, path: str) -> None:
        """Opens a model, a video, a picture or a folder, by what it is."""
        if path.lower().endswith(SUFFIX):
            self.models.choose(path)
        else:
            self.cameras.choose(path)

    def _newest_image(self) -> NDArray[np.uint8] | None:
        """Read in another thread by a preview; frames are never written to."""
        frame = self.view.frame
        return None if frame is None else frame.image

    def take_snapshot(self) -> None:
        """Saves what is on the screen."""
        frame = self.view.frame
        if frame is None:
            self.toast.say("There is no picture to save.")
            return
        result = self.detections.result
        self.snapshots.save(frame, self.view.detections, result.labels if result else ())

    def choose_theme(self, name: str) -> None:
        """Dark, light or like the system."""
        self.preferences.change(theme=name)
        self.apply_theme()

    def apply_theme(self) -> None:
        """Gives every part its colours."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme = apply_theme(app, self.preferences.value.theme)
        for part in (
            self.view, self.panel, self.status_line, self.camera_picker, self.model_picker, self.toast, self.parts,
        ):  # fmt: skip
            part.apply_theme(theme)
        self._theme = theme
        self._colour_state_panel()

    def _open_any(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open", "", VIDEO_FILTER.replace(" *.tiff)", f" *.tiff *{SUFFIX})"))
        if path:
            self.open_path(path)

    def _on_panel(self, shown: bool) -> None:
        if self.parts.compact:
            self._compact_panel = shown
        else:
            self.preferences.change(panel=shown)
        self._fit()

    def _on_full_screen(self, full: bool) -> None:
        if full != self.isFullScreen():
            if full:
                self._normal = self.geometry()
                # Where no window manager listens (a kiosk), nobody else gives the window the screen's size.
                self.setGeometry(self.screen().geometry())
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
            if not full:
                self.setGeometry(self._normal)
        self._fit()

    def _on_boxes(self, shown: bool) -> None:
        self.preferences.change(boxes=shown)
        self.view.set_boxes_visible(shown)

    def _on_performance(self, shown: bool) -> None:
        self.preferences.change(performance=shown)
        self.panel.show_performance(shown)
        if shown:
            self.actions_.panel.setChecked(True)
            self.panel.scroll_to_performance()
        self.figures.refresh()

    def _open_doctor(self) -> None:
        from edgecam.gui.doctor_dialog import DoctorDialog  # rarely wanted, and not at the start

        DoctorDialog(self._theme, self).open()

    def _on_figures(self, shown: bool) -> None:
        self.preferences.change(figures=shown)
        self.figures.refresh()

    def _on_playback(self) -> None:
        self.cameras.set_playback(realtime=self.actions_.realtime.isChecked(), repeat=self.actions_.repeat.isChecked())

    def _on_camera_state(self) -> None:
        state = self.cameras.state
        self.actions_.freeze.setChecked(self.cameras.is_standing)
        title = self.cameras.camera.name if self.cameras.camera else ""
        self.setWindowTitle(f"{title} – edgecam" if title and state else "edgecam")
        self._colour_state_panel()
        self.figures.refresh()

    def _on_system_theme(self) -> None:
        if self.preferences.value.theme == "system":
            self.apply_theme()

    def _colour_state_panel(self) -> None:
        on_dark = self._theme.dark or self.view.frame is not None
        self.state_panel.set_on_dark(on_dark, self._theme.text, self._theme.dim)

    def _fit(self) -> None:
        # Where the picture has the whole window, the panel comes only when it is called.
        wanted = self._compact_panel if self.parts.compact else self.preferences.value.panel
        self.actions_.panel.blockSignals(True)
        self.actions_.panel.setChecked(wanted)
        self.actions_.panel.blockSignals(False)
        self.parts.fit(panel_wanted=wanted)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        if not self.actions_.full_screen.isChecked() and not self.isMaximized():
            self.preferences.change(window_wh=(max(200, self.width()), max(200, self.height())))
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.WindowStateChange:
            self.actions_.full_screen.setChecked(self.isFullScreen())
            self._fit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_path(paths[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        self.preferences.write()
        self._watch.stop()
        self.tuning.stop()
        self.fit.stop()
        self.pipeline.stop()
        event.accept()
        self.closed.emit()
