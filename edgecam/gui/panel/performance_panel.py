"""The figures of the whole way from the camera to the screen: a name, a number and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from edgecam.gui.panel.latency_plot import LatencyPlot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.rates import LatencySeries


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: how the code calls it, its name on the screen, and how it is measured."""

    key: str
    name: str
    tip: str


_RATE: Final = "Mean over the last two seconds, falling when nothing comes any more."
_STAGE: Final = "Median over the last minute."
_CPU: Final = (
    "Processor time since the last reading, two seconds ago; 100 % is one core. From the kernel's books (Linux)."
)

GROUPS: Final[tuple[tuple[str, tuple[Row, ...]], ...]] = (
    ("Per second", (
        Row("captured", "Captured", f"Pictures that the camera delivered. {_RATE}"),
        Row("painted", "Painted", f"Different pictures that reached the screen. {_RATE}"),
        Row("detected", "Detected", f"Pictures that the detector has finished. {_RATE}"),
    )),
    ("Age when painted", (
        Row("picture_age", "Picture", "From its capture, by the driver's time stamp where it gives one, until it was "
            "painted: median and 95 % of the last two seconds. The screen adds its own delay."),
        Row("box_age", "Boxes", "From the capture of the picture in which they were found until they were painted over "
            "a newer one: median and 95 % of the last two seconds."),
    )),
    ("Milliseconds per picture", (
        Row("wait", "Wait", f"From the capture until the detector took it, and until the model was free. {_STAGE}"),
        Row("convert", "Convert", f"Scaling to the screen and changing colours, in the camera's thread. {_STAGE}"),
        Row("preprocess", "Preprocess", f"Scaling to the model's input; done while the model is busy. {_STAGE}"),
        Row("inference", "Inference", f"The model itself. {_STAGE}"),
        Row("postprocess", "Postprocess", f"Decoding, choosing and removing repetitions; done while the model is busy. "
            f"{_STAGE}"),
        Row("draw", "Draw", f"Painting picture, boxes and figures, in the window's thread. {_STAGE}"),
    )),
    ("Lost since the camera was opened", (
        Row("dropped", "By the camera", "Pictures that the driver says it lost, or that came broken."),
        Row("skipped", "By the detector", "Pictures it did not look at, because a newer one had come."),
        Row("missed", "By the display", "Pictures that were replaced by a newer one before they could be painted."),
    )),
    ("Load", (
        Row("cpu_capture", "CPU: capture", f"The camera's thread and its decoders. {_CPU}"),
        Row("cpu_detector", "CPU: detector", f"The detector's threads and those of onnxruntime. {_CPU}"),
        Row("cpu_window", "CPU: window", f"The window's thread and those of Qt. {_CPU}"),
        Row("cpu_other", "CPU: other", f"Every other thread, and threads that have ended. {_CPU}"),
        Row("memory", "Memory", "Resident memory of edgecam."),
        Row("temperature", "Temperature", "Of the processor."),
        Row("clock", "Clock", "Of the processor, now."),
        Row("power", "Power", "What the firmware of a Raspberry Pi says about voltage, heat and throttling."),
    )),
)  # fmt: skip


class PerformancePanel(QWidget):
    """Shows texts by the keys of GROUPS; what has no text is not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, tuple[QLabel, QLabel]] = {}
        self.plot = LatencyPlot()
        self.plot.setToolTip("Age of the picture when painted, over the last minute; the largest of each half second")
        self.plot.setAccessibleName("Age of the picture when painted, last 60 seconds")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        line = 0
        for title, rows in GROUPS:
            head = QLabel(title)
            head.setObjectName("dim")
            head.setContentsMargins(0, 8 if line else 0, 0, 0)
            grid.addWidget(head, line, 0, 1, 2)
            line += 1
            for row in rows:
                self._add(grid, line, row)
                line += 1
            if title == "Age when painted":
                grid.addWidget(self.plot, line, 0, 1, 2)
                line += 1

    def show_values(self, texts: Mapping[str, str]) -> None:
        """Takes texts by key; "" hides a row."""
        for key, (name, value) in self._values.items():
            text = texts.get(key, "")
            if text != value.text():
                value.setText(text)
                value.setAccessibleName(f"{name.text()}: {text}")
            if bool(text) == name.isHidden():
                name.setVisible(bool(text))
                value.setVisible(bool(text))

    def show_age(self, series: LatencySeries) -> None:
        """Draws the ages of the last minute."""
        self.plot.show_series(series)

    def text(self, key: str) -> str:
        """What is shown for `key`; "" where it is not."""
        return self._values[key][1].text()

    def apply_theme(self, theme: Theme) -> None:
        self.plot.apply_theme(theme)

    def _add(self, grid: QGridLayout, line: int, row: Row) -> None:
        name, value = QLabel(row.name), QLabel()
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        value.setWordWrap(row.key == "power")
        for label in (name, value):
            label.setToolTip(row.tip)
            label.hide()
        grid.addWidget(name, line, 0)
        grid.addWidget(value, line, 1)
        self._values[row.key] = (name, value)
