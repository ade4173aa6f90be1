"""The figures of the whole way from the camera to the screen: a name, a number and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from edgecam.gui.panel.sparkline import Sparkline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.rates import Series


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: how the code calls it, its name on the screen, and how it is measured."""

    key: str
    name: str
    tip: str


_RATE: Final = "Mean over the last two seconds, falling when nothing comes any more."
_STAGE: Final = "Median over the last minute."
_LINE: Final = "\nThe line: the last minute, from 0 up; of each two seconds the largest value."
_CPU: Final = (
    "Processor time since the last reading, two seconds ago; 100 % is one core. From the kernel's books (Linux)."
)

GROUPS: Final[tuple[tuple[str, tuple[Row, ...]], ...]] = (
    ("Per second", (
        Row("captured", "Captured", f"Pictures that the camera delivered. {_RATE}"),
        Row("painted", "Painted", f"Different pictures that reached the screen. {_RATE}"),
        Row("detected", "Detected", f"Pictures that the detector has finished. {_RATE}"),
    )),
    ("Age when painted: median / 95 %", (
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
        Row("memory", "Memory", "Resident memory of edgecam, from the system's books, read every two seconds."),
        Row("temperature", "Temperature", "Of the processor, from the kernel's sensor, read every two seconds."),
        Row("clock", "Clock", "Of the processor: mean of its cores' present clocks, from the kernel, read every two "
            "seconds."),
        Row("power", "Power", "What the firmware of a Raspberry Pi says about voltage, heat and throttling, read every "
            "two seconds."),
    )),
)  # fmt: skip


NOT_DRAWN: Final = frozenset({"dropped", "skipped", "missed", "power"})


@dataclass(frozen=True, slots=True)
class _Shown:
    """The widgets of a row; what is only counted has no line."""

    name: QLabel
    value: QLabel
    line: Sparkline | None


class PerformancePanel(QWidget):
    """Shows texts and lines by the keys of GROUPS; what has no text is not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _Shown] = {}
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
            grid.addWidget(head, line, 0, 1, 3)
            line += 1
            for row in rows:
                self._add(grid, line, row)
                line += 1

    def show_values(self, texts: Mapping[str, str]) -> None:
        """Takes texts by key; "" hides a row."""
        for key, row in self._rows.items():
            text = texts.get(key, "")
            if text != row.value.text():
                row.value.setText(text)
                row.value.setAccessibleName(f"{row.name.text()}: {text}")
            if bool(text) == row.name.isHidden():
                for part in (row.name, row.value, row.line):
                    if part is not None:
                        part.setVisible(bool(text))

    def show_series(self, series: Mapping[str, Series]) -> None:
        """Draws the last minute of each row that is shown."""
        for key, one in series.items():
            row = self._rows[key]
            if row.line is not None and not row.line.isHidden():
                row.line.show_series(one)

    def text(self, key: str) -> str:
        """What is shown for `key`; "" where it is not."""
        return self._rows[key].value.text()

    def line(self, key: str) -> Sparkline | None:
        """Its last minute; None for what is only counted."""
        return self._rows[key].line

    def apply_theme(self, theme: Theme) -> None:
        for row in self._rows.values():
            if row.line is not None:
                row.line.apply_theme(theme)

    def _add(self, grid: QGridLayout, at: int, row: Row) -> None:
        name, value = QLabel(row.name), QLabel()
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        value.setWordWrap(row.key == "power")
        line = None if row.key in NOT_DRAWN else Sparkline()
        grid.addWidget(name, at, 0)
        grid.addWidget(value, at, 1, 1, 1 if line else 2)
        if line:
            grid.addWidget(line, at, 2)
            line.setAccessibleName(f"{row.name}, last 60 seconds")
        for part in (name, value, line):
            if part is not None:
                part.setToolTip(row.tip + (_LINE if line else ""))
                part.hide()
        self._rows[row.key] = _Shown(name, value, line)
