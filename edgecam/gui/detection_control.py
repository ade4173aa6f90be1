"""From results to boxes and counts, through the user's choice: sliders and class filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from edgecam.detector.selection import VIEWER_ONE_LABEL_IOU, Selection
from edgecam.gui.panel.class_filter import ClassFilterDialog

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from edgecam.detector.description import Thresholds
    from edgecam.gui.bridge import Bridge
    from edgecam.gui.panel.side_panel import SidePanel
    from edgecam.gui.picture.live_view import LiveView
    from edgecam.gui.preferences import Preferences
    from edgecam.pipeline.pipeline import Pipeline
    from edgecam.pipeline.result import Result

MIN_LAG_S = 1.0


class DetectionControl(QObject):
    """Draws each result as the user wants it, at once when that changes: all candidates are kept for it."""

    def __init__(
        self, pipeline: Pipeline, bridge: Bridge, preferences: Preferences, view: LiveView, panel: SidePanel
    ) -> None:
        super().__init__(panel)
        self._pipeline, self._bridge, self._preferences = pipeline, bridge, preferences
        self._view, self._panel = view, panel
        self._labels: tuple[str, ...] = ()
        self._result: Result | None = None
        self._dialog: ClassFilterDialog | None = None
        panel.score_changed.connect(self._on_score)
        panel.iou_changed.connect(self._on_iou)
        panel.filter_wanted.connect(self.open_filter)
        bridge.result_ready.connect(self._on_result)
        self.use_no_model()

    @property
    def result(self) -> Result | None:
        """The result that is drawn."""
        return self._result

    def use_model(self, labels: tuple[str, ...], thresholds: Thresholds) -> None:
        """A new model runs: its classes, and its own thresholds where the user has not set any."""
        settings = self._preferences.value
        self._labels = labels
        for slider, value in (
            (self._panel.score, thresholds.score if settings.score is None else settings.score),
            (self._panel.iou, thresholds.iou if settings.iou is None else settings.iou),
        ):
            slider.slider.blockSignals(True)
            slider.set_value(value)
            slider.slider.blockSignals(False)
        self._panel.set_thresholds_enabled(True)
        self.forget()
        self._apply()

    def use_no_model(self) -> None:
        """Nothing is detected any more."""
        self._labels = ()
        self._panel.set_thresholds_enabled(False)
        self.forget()

    def forget(self) -> None:
        """Boxes of a former camera or model, or of a lost camera, are of no use any more."""
        self._bridge.forget_result()
        self._result = None
        self._view.clear_detections()
        self.show_counts()

    def step_score(self, step: float) -> None:
        """Moves the confidence slider."""
        self._panel.score.set_value(self._panel.score.value + step)

    def show_counts(self) -> None:
        """Brings the list of classes up to date with what is drawn; called some times per second."""
        if not self._labels:
            empty_text = "No model is running."
        elif self._result is None:
            empty_text = "No picture yet."
        else:
            empty_text = "Nothing detected. Less confidence shows more."
        self._panel.class_list.show_counts(self._view.detections.counts(), self._labels, empty_text)

    def open_filter(self) -> None:
        """The dialog with one tick per class."""
        if not self._labels:
            return
        parent = self._panel.window()
        self._dialog = ClassFilterDialog(self._labels, self._preferences.value.hidden_classes, parent)
        self._dialog.changed.connect(self._on_filter)
        self._dialog.open()

    @property
    def filter_dialog(self) -> QWidget | None:
        """The class filter while it is open."""
        return self._dialog

    def _apply(self) -> None:
        hidden = set(self._preferences.value.hidden_classes) & set(self._labels)
        shown = frozenset(i for i, label in enumerate(self._labels) if label not in hidden) if hidden else None
        self._panel.show_hidden_count(len(hidden))
        self._pipeline.selection = Selection(
            score_threshold=self._panel.score.value,
            iou_threshold=self._panel.iou.value,
            class_ids=shown,
            one_label_iou=VIEWER_ONE_LABEL_IOU,
        )
        if self._result is not None:
            self._draw(self._result, reselect=True)
            self.show_counts()

    def _draw(self, result: Result, *, reselect: bool = False) -> None:
        detections = result.detections
        if reselect:
            selection = self._pipeline.selection
            detections = selection.apply(result.inference.above(selection.score_threshold))
        # A slow detector's boxes are late by nature: they stay until three more should have come.
        max_lag_s = max(MIN_LAG_S, 3e-3 * result.times.detector_ms)
        self._view.set_detections(detections, result.labels, captured_at=result.frame.captured_at, max_lag_s=max_lag_s)

    def _on_result(self) -> None:
        result = self._bridge.take_result()
        if result is not None and result.labels == self._labels:
            self._result = result
            self._draw(result)

    def _on_score(self, value: float) -> None:
        self._preferences.change(score=value)
        self._apply()

    def _on_iou(self, value: float) -> None:
        self._preferences.change(iou=value)
        self._apply()

    def _on_filter(self, hidden: frozenset[str]) -> None:
        # Labels of other models keep their choice.
        others = set(self._preferences.value.hidden_classes) - set(self._labels)
        self._preferences.change(hidden_classes=tuple(sorted(hidden | others)))
        self._apply()
