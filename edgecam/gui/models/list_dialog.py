"""The dialog with all models: what they know, how fast they are here, how accurate, under which licence."""

from __future__ import annotations

import contextlib
import threading
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from edgecam.detector.facts import facts_of
from edgecam.detector.loading import passed
from edgecam.detector.recognition.sidecar import forget, read_sidecar
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.detector.facts import ModelFacts
    from edgecam.detector.model_library import ModelEntry, ModelLibrary
    from edgecam.detector.records import Records

COLUMNS = ("Name", "Classes", "Size", "One frame here", "Accuracy", "Licence")
UNKNOWN = "–"


class ModelLibraryDialog(QDialog):
    """A table and what can be done with a row.

    Args:
        running: file of the model that runs, and running_speed: what a frame takes it, to be shown.
        threads: of the detector, for measuring as it will run.
    """

    chosen = Signal(str)
    description_wanted = Signal(str)
    names_restored = Signal(str)
    _worked = Signal(str)

    def __init__(
        self, library: ModelLibrary, records: Records, running: Path | None, parent: QWidget | None = None,
        *, threads: int | None = None, running_speed: str = "",
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.resize(880, 460)
        self._library, self._records, self._running, self._threads = library, records, running, threads
        self._running_speed = running_speed
        self._facts: list[ModelFacts] = []
        self._worker: threading.Thread | None = None
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.setAccessibleName("Models")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(40)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.message = QLabel("Drop an .onnx file on the window, or add one here.")
        self.message.setObjectName("dim")
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.use, self.measure, self.describe, self.restore, self.remove, self.add = (
            QPushButton(text) for text in ("Use", "Measure", "Describe…", "Restore names", "Remove", "Add…")
        )
        self.describe.setToolTip("Class names; of a model of yours also colours, scaling and decoding")
        self.restore.setToolTip("Back to the class names that came with the model")
        close = QPushButton("Close")
        for button, slot in (
            (self.use, self._on_use), (self.measure, self._on_measure), (self.describe, self._on_describe),
            (self.restore, self._on_restore),
            (self.remove, self._on_remove), (self.add, self._on_add), (close, self.reject),
        ):  # fmt: skip
            button.setAutoDefault(False)
            button.clicked.connect(slot)
        buttons = QHBoxLayout()
        for button in (self.add, self.remove, self.describe, self.restore, self.measure):
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(close)
        buttons.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.table)
        layout.addWidget(self.message)
        layout.addLayout(buttons)
        self.table.itemSelectionChanged.connect(self._show_buttons)
        self.table.doubleClicked.connect(self._on_use)
        self._worked.connect(self._on_worked)
        self.refresh()

    def refresh(self) -> None:
        """Reads the models again."""
        entries = self._library.entries()
        if self._running is not None and self._running not in [entry.path for entry in entries]:
            entries.append(self._library.entry_of(self._running))
        chosen = self._entry.path if self._entry else self._running
        self._facts = [facts_of(entry, self._records) for entry in entries]
        self.table.setRowCount(len(self._facts))
        for row, facts in enumerate(self._facts):
            for column, text in enumerate(
                _cells(facts, self._running_speed if facts.entry.path == self._running else "")
            ):
                item = QTableWidgetItem(text)
                item.setToolTip(f"<qt>{escape(facts.problem or str(facts.entry.path))}</qt>")
                font = item.font()
                font.setBold(column == 0 and facts.entry.path == self._running)
                item.setFont(font)
                self.table.setItem(row, column, item)
            if facts.entry.path == chosen:
                self.table.selectRow(row)
        self._show_buttons()

    @property
    def _entry(self) -> ModelEntry | None:
        row = self.table.currentRow()
        return self._facts[row].entry if 0 <= row < len(self._facts) else None

    def _show_buttons(self) -> None:
        entry, busy = self._entry, self._worker is not None
        usable = entry is not None and not self._facts[self.table.currentRow()].problem and not busy
        for button in (self.use, self.measure):
            button.setEnabled(usable)
        self.describe.setEnabled(usable)
        self.restore.setEnabled(usable and entry is not None and entry.bundled and _has_names_of_ones_own(entry))
        self.remove.setEnabled(
            not busy and entry is not None and entry in self._library.entries() and not entry.bundled
        )
        self.add.setEnabled(not busy)

    # What the user does

    def add_file(self, path: Path) -> None:
        """Tries a file out and copies it into the library."""

        def work() -> str:
            passed(path, self._records, threads=self._threads)
            entry = self._library.add(path)
            passed(entry.path, self._records, threads=self._threads)
            return f"{entry.name} was added."

        self._work(f"Trying out {path.name} …", work)

    def _on_add(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Add a model", "", "Models (*.onnx)")
        if name:
            self.add_file(Path(name))

    def _on_use(self) -> None:
        if self.use.isEnabled() and self._entry is not None:
            self.chosen.emit(str(self._entry.path))
            self.accept()

    def _on_measure(self) -> None:
        entry = self._entry
        if entry is None:
            return

        def work() -> str:
            report = passed(entry.path, self._records, threads=self._threads, again=True)
            height, width = report.input_hw
            return (
                f"{entry.name}: {report.total_ms:.1f} ms per frame at {width} × {height} (prepare "
                f"{report.preprocess_ms:.1f}, run {report.inference_ms:.1f}, decode {report.postprocess_ms:.1f}), "
                f"with {report.threads} thread{'s' * (report.threads != 1)}."
            )

        self._work(f"Measuring {entry.name} …", work)

    def _on_describe(self) -> None:
        if self._entry is not None:
            self.description_wanted.emit(str(self._entry.path))
            self.accept()

    def _on_restore(self) -> None:
        entry = self._entry
        if entry is None:
            return
        try:
            forget(entry.sidecar, "labels")
        except ModelError as error:
            self.message.setText(str(error))
            return
        self.message.setText(f"{entry.name} has its own class names again.")
        self.refresh()
        self.names_restored.emit(str(entry.path))

    def _on_remove(self) -> None:
        entry = self._entry
        if entry is None:
            return
        try:
            self._library.remove(entry.name)
        except ModelError as error:
            self.message.setText(str(error))
        else:
            self.message.setText(f"{entry.name} was removed.")
        self.refresh()

    def _work(self, text: str, work: Callable[[], str]) -> None:
        """Does what takes seconds in a thread; one at a time."""
        if self._worker is not None:
            return

        def run() -> None:
            try:
                answer = work()
            except ModelError as error:
                answer = str(error)
            with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
                self._worked.emit(answer)

        self.message.setText(text)
        self._worker = threading.Thread(target=run, name="model library", daemon=True)
        self._show_buttons()
        self._worker.start()

    def _on_worked(self, answer: str) -> None:
        self._worker = None
        self.message.setText(answer)
        self.refresh()


def _has_names_of_ones_own(entry: ModelEntry) -> bool:
    try:
        return "labels" in read_sidecar(entry.sidecar)
    except ModelError:
        return False


def _cells(facts: ModelFacts, speed: str) -> tuple[str, ...]:
    if facts.problem:
        return facts.entry.name, UNKNOWN, UNKNOWN, "cannot be used", UNKNOWN, UNKNOWN
    return (
        facts.entry.name,
        str(len(facts.description.labels)) if facts.description else UNKNOWN,
        f"{facts.size_bytes / 1e6:.1f} MB {facts.precision}",
        speed or facts.speed or "not measured",
        facts.accuracy or "unknown",
        facts.licence or "unknown",
    )
