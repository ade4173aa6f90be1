"""The dialog "Fit to this board": a wish, how far the measurement is, and what was chosen and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from edgecam.bench.figures import number
from edgecam.bench.models_report import models_table
from edgecam.fit.choice import Wish
from edgecam.gui.widgets.fields import CheckBox, SpinBox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.bench.models import CaseResult
    from edgecam.fit.choice import Choice
    from edgecam.fit.store import Fit

DEFAULT_PER_SECOND: Final = 15.0
DEFAULT_CPU: Final = 50.0
DEFAULT_CELSIUS: Final = 70.0
COLUMNS: Final = ("Model", "Input", "Threads", "ms", "Per second", "Accuracy")


class FitDialog(QDialog):
    """Asks, tells how far it is, and shows the outcome; whoever opens it measures.

    Args:
        has_sensor: the machine tells its temperature.
    """

    wanted = Signal(object)  # Wish

    def __init__(self, parent: QWidget | None = None, *, has_sensor: bool = True) -> None:
        super().__init__(parent)
        self.setWindowTitle("Fit to this board")
        self.resize(640, 460)
        self._camera_rate: float | None = None
        self._report = ""
        self.by_number, self.by_camera = QRadioButton("At least"), QRadioButton()
        self._group = QButtonGroup(self)
        for button in (self.by_number, self.by_camera):
            self._group.addButton(button)
        self.per_second = _spin(1, 240, DEFAULT_PER_SECOND, " detections per second")
        self.limit_cpu, self.cpu = CheckBox("At most"), _spin(1, 100, DEFAULT_CPU, " % of the processor")
        self.limit_heat, self.heat = CheckBox("Stay below"), _spin(30, 110, DEFAULT_CELSIUS, " °C")
        self.keep = CheckBox("Keep watching: step down when the board slows, and up again when it recovers")
        self.keep.setChecked(True)
        self._has_sensor = has_sensor
        self.bar, self._doing = QProgressBar(), QLabel()
        self.why, self.table = QLabel(), _table()
        self.start, self.copy, self.close_ = QPushButton("Measure"), QPushButton("Copy"), QPushButton("Close")
        self.pages = QStackedWidget()
        for page in (self._asking(), self._measuring(), self._outcome()):
            self.pages.addWidget(page)
        self._build()
        self.limit_cpu.toggled.connect(self.cpu.setEnabled)
        self.limit_heat.toggled.connect(self.heat.setEnabled)
        self.by_number.toggled.connect(self.per_second.setEnabled)
        self.start.clicked.connect(self._on_start)
        self.close_.clicked.connect(self.reject)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report))

    @property
    def watching(self) -> bool:
        """It is to be kept to while it runs."""
        return self.keep.isChecked()

    def ask(self, fit: Fit | None, camera_rate: float | None) -> None:
        """Shows the wish, as it was the last time.

        Args:
            camera_rate: pictures per second of the present camera; None where it does not say.
        """
        wish = fit.wish if fit else Wish(DEFAULT_PER_SECOND)
        self._camera_rate = camera_rate
        said = f": {number(camera_rate)} per second" if camera_rate else ", which it does not tell"
        self.by_camera.setText(f"As many as the camera gives pictures{said}")
        self.by_camera.setEnabled(camera_rate is not None)
        by_camera = fit is not None and camera_rate is not None and wish.per_second == wish.offered == camera_rate
        (self.by_camera if by_camera else self.by_number).setChecked(True)
        self.per_second.setValue(wish.per_second)
        self.per_second.setEnabled(not by_camera)
        for tick, value, limit in (
            (self.limit_cpu, self.cpu, wish.cpu_percent), (self.limit_heat, self.heat, wish.below_c),
        ):  # fmt: skip
            tick.setChecked(limit is not None and tick.isEnabled())
            value.setEnabled(tick.isChecked())
            if limit is not None:
                value.setValue(limit)
        self.keep.setChecked(fit.watching if fit else True)
        self._show_page(0)

    def wish(self) -> Wish:
        """What is ticked now."""
        rate = self._camera_rate
        return Wish(
            per_second=rate if self.by_camera.isChecked() and rate is not None else self.per_second.value(),
            cpu_percent=self.cpu.value() if self.limit_cpu.isChecked() else None,
            below_c=self.heat.value() if self.limit_heat.isChecked() else None,
            offered=rate,
        )

    def show_progress(self, text: str, share: float) -> None:
        """How far the measurement is, 0 to 1."""
        self._doing.setText(text[:1].upper() + text[1:])
        self.bar.setValue(round(share * 100))

    def show_failure(self, message: str) -> None:
        """It could not be measured."""
        self._show_outcome(message, ())
        self._report = message

    def show_choice(self, choice: Choice, cases: Sequence[CaseResult]) -> None:
        """What was chosen and why, and all that was measured."""
        self._report = f"{models_table(cases)}\n\n{choice.why}"
        order = sorted(cases, key=lambda case: (case.key != choice.case.key, case.median_ms))
        self._show_outcome(choice.why, order)

    def _show_outcome(self, text: str, cases: Sequence[CaseResult]) -> None:
        self.why.setText(text)
        self.table.setVisible(bool(cases))
        self.table.setRowCount(len(cases))
        for row, case in enumerate(cases):
            height, width = case.input_hw
            texts = (
                case.model, f"{width} × {height}", str(case.threads), number(case.median_ms), number(case.per_second),
                case.accuracy_text,
            )  # fmt: skip
            for column, cell in enumerate(texts):
                item = QTableWidgetItem(cell)
                font = item.font()
                font.setBold(row == 0)
                item.setFont(font)
                if column > 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
        self._show_page(2)

    def _on_start(self) -> None:
        if self.pages.currentIndex() == 2:
            self._show_page(0)
            return
        self.show_progress("starting", 0.0)
        self._show_page(1)
        self.wanted.emit(self.wish())

    def _show_page(self, index: int) -> None:
        self.pages.setCurrentIndex(index)
        self.start.setVisible(index != 1)
        self.start.setText("Measure" if index == 0 else "Another wish…")
        self.copy.setVisible(index == 2)
        self.close_.setText("Cancel" if index == 1 else "Close")
        (self.close_ if index else self.start).setDefault(True)

    def _asking(self) -> QWidget:
        intro = QLabel(
            "edgecam measures each installed model on this board, at each of its input sizes, and takes the best one "
            "that does what you want. The picture goes on meanwhile; detection rests for a minute or two."
        )
        intro.setWordWrap(True)
        if not self._has_sensor:
            self.limit_heat.setEnabled(False)
            self.limit_heat.setToolTip("This machine does not tell its temperature")
        page, layout = _page()
        layout.addWidget(intro)
        layout.addSpacing(6)
        layout.addLayout(_line(self.by_number, self.per_second))
        layout.addWidget(self.by_camera)
        layout.addSpacing(6)
        layout.addLayout(_line(self.limit_cpu, self.cpu))
        layout.addLayout(_line(self.limit_heat, self.heat))
        layout.addSpacing(6)
        layout.addWidget(self.keep)
        layout.addStretch()
        return page

    def _measuring(self) -> QWidget:
        page, layout = _page()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the measurement")
        layout.addStretch()
        layout.addWidget(self._doing)
        layout.addWidget(self.bar)
        layout.addStretch()
        return page

    def _outcome(self) -> QWidget:
        page, layout = _page()
        self.why.setWordWrap(True)
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self.why)
        layout.addWidget(self.table, 1)
        return page

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addStretch()
        buttons.addWidget(self.close_)
        buttons.addWidget(self.start)
        for button in (self.copy, self.close_, self.start):
            button.setAutoDefault(False)
        self.copy.setToolTip("Copies everything that was measured")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.pages, 1)
        layout.addLayout(buttons)


def _spin(lowest: float, highest: float, value: float, suffix: str) -> SpinBox:
    spin = SpinBox()
    spin.setRange(lowest, highest)
    spin.setValue(value)
    spin.setSuffix(suffix)
    spin.setAccessibleName(suffix.strip())
    return spin


def _table() -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS))
    for column, text in enumerate(COLUMNS):
        head = QTableWidgetItem(text)
        side = Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag.AlignLeft  # numbers to the right
        head.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(column, head)
    table.setAccessibleName("What was measured")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setShowGrid(False)
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return table


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    return page, layout


def _line(*parts: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(10)
    for part in parts:
        line.addWidget(part)
    line.addStretch()
    return line
