"""The panel at the side: sliders, classes in view, detector latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from edgecam.gui.panel.class_list import ClassList
from edgecam.gui.panel.latency_plot import LatencyPlot
from edgecam.gui.panel.performance_panel import PerformancePanel
from edgecam.gui.panel.threshold_slider import ThresholdSlider

if TYPE_CHECKING:
    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.rates import LatencySeries

WIDTH = 300


class SidePanel(QFrame):
    """Wires nothing: it shows what it is given and tells what the user did."""

    score_changed = Signal(float)
    iou_changed = Signal(float)
    filter_wanted = Signal()
    fit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidePanel")
        self.setFixedWidth(WIDTH)
        self.score = ThresholdSlider(
            "Confidence", "Boxes with a lower score are not shown", 5, 95, lambda value: f"{value * 100:.0f} %"
        )
        self.iou = ThresholdSlider(
            "Overlap (IoU)",
            "Of two boxes of one class that overlap more than this, only the better one is shown",
            10, 95, lambda value: f"{value:.2f}",
        )  # fmt: skip
        self.class_list = ClassList()
        self.class_list.setToolTip("Boxes of each class among those that the detector found last and that are shown")
        self.plot = LatencyPlot()
        self.performance = PerformancePanel()
        self.plot.setToolTip(
            "Time the detector takes for one picture: preprocess, inference, postprocess; the largest of each 0.5 s"
        )
        self._filter = QPushButton("Filter…")
        self._filter.setObjectName("link")
        self._filter.setToolTip("Choose which classes are shown")
        self._fit_button = QPushButton("Fit…")
        self._fit_button.setObjectName("link")
        self._fit_button.setToolTip("Measure which model and input size suit this board, and use it")
        self._fit = QLabel()
        self._fit.setObjectName("dim")
        self._fit.setWordWrap(True)
        self._fit.setTextFormat(Qt.TextFormat.PlainText)
        self._fit.setToolTip("What was fitted to this board: the wish, what runs now, and the last step")
        self._fit.hide()
        self._median, self._p95 = QLabel(), QLabel()
        for label in (self._median, self._p95):
            label.setObjectName("dim")
            label.setToolTip(
                "Time the detector takes for one picture, over the last minute: half of them, and 95 % of them, were "
                "quicker"
            )
        self._p95.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._build()
        self.score.changed.connect(self.score_changed)
        self.iou.changed.connect(self.iou_changed)
        self._filter.clicked.connect(self.filter_wanted)
        self._fit_button.clicked.connect(self.fit_wanted)

    def set_thresholds_enabled(self, enabled: bool) -> None:
        """Sliders and filter act on a model's results: without one they rest."""
        for part in (self.score, self.iou, self._filter):
            part.setEnabled(enabled)

    def show_hidden_count(self, hidden: int) -> None:
        """Says on the filter's button how many classes are not shown."""
        self._filter.setText(f"Filter ({hidden} hidden)…" if hidden else "Filter…")

    def show_latency(self, series: LatencySeries) -> None:
        """Draws the series and its median and 95th percentile."""
        self.plot.show_series(series)
        summary = series.summary()
        self._median.setText(f"median {summary.median_ms:.0f} ms" if summary else "no detector")
        self._p95.setText(f"p95 {summary.p95_ms:.0f} ms" if summary else "")

    def show_fit(self, text: str) -> None:
        """Says what was fitted to this board and runs; "" where nothing was."""
        self._fit.setText(text)
        self._fit.setVisible(bool(text))

    @property
    def fit_text(self) -> str:
        """What it says of that."""
        return self._fit.text()

    def show_performance(self, shown: bool) -> None:
        """Shows or hides the figures of the whole way."""
        self._performance.setVisible(shown)

    def scroll_to_performance(self) -> None:
        """Brings them into sight."""
        QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self._performance, 0, 0))

    def apply_theme(self, theme: Theme) -> None:
        for part in (self.class_list, self.plot, self.performance):
            part.apply_theme(theme)

    def _build(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(_section(QLabel("Detection"), None, self.score, self.iou))
        layout.addWidget(_separator())
        layout.addWidget(_section(QLabel("In view"), self._filter, self.class_list))
        layout.addWidget(_separator())
        figures = QWidget()
        line = QHBoxLayout(figures)
        line.setContentsMargins(0, 6, 0, 0)
        line.addWidget(self._median)
        line.addWidget(self._p95)
        layout.addWidget(
            _section(QLabel("Detector latency, last 60 s"), self._fit_button, self.plot, figures, self._fit)
        )
        self._performance = QWidget()
        below = QVBoxLayout(self._performance)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(_separator())
        below.addWidget(_section(QLabel("Performance"), None, self.performance))
        self._performance.hide()
        layout.addWidget(self._performance)
        layout.addStretch()
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(content)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)


def _section(title: QLabel, corner: QWidget | None, *parts: QWidget) -> QWidget:
    title.setObjectName("section")
    head = QHBoxLayout()
    head.addWidget(title)
    head.addStretch()
    if corner is not None:
        head.addWidget(corner)
    section = QWidget()
    layout = QVBoxLayout(section)
    layout.setContentsMargins(16, 14, 16, 14)
    layout.setSpacing(8)
    layout.addLayout(head)
    for part in parts:
        layout.addWidget(part)
    return section


def _separator() -> QWidget:
    line = QWidget()
    line.setObjectName("separator")
    line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    line.setFixedHeight(1)
    return line
