"""The dialog that asks what a model's file does not say, and shows at once what each answer does."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from edgecam.detector.recognition.labels import proposed
from edgecam.detector.recognition.match import Question
from edgecam.detector.recognition.sidecar import forget, merged, read_sidecar, write_sidecar
from edgecam.errors import ModelError
from edgecam.gui.models.answers import parse_label_lines
from edgecam.gui.models.input_form import InputForm
from edgecam.gui.models.output_form import OutputForm
from edgecam.gui.models.preview import PreviewPicture, PreviewWorker
from edgecam.gui.models.questions_grid import questions_grid, row_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.model_library import ModelEntry
    from edgecam.detector.recognition.recognition import Recognition
    from edgecam.gui.models.answers import Answers

TYPING_MS = 400
MAX_LABEL_FILE = 4 << 20


class ModelQuestionsDialog(QDialog):
    """Form at the right, live preview at the left. `saved` comes after the sidecar was written.

    Args:
        entry: of the model, which has passed its trial, or would but for its unknown outputs.
        recognition: what it was taken for.
        frames: gives the newest picture; called in another thread.
    """

    saved = Signal(str)

    def __init__(
        self,
        entry: ModelEntry,
        recognition: Recognition,
        frames: Callable[[], NDArray[np.uint8] | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"How does {recognition.description.name} see?")
        self._entry, self._recognition = entry, recognition
        self._own = recognition.family == "edgecam"
        self.inputs = InputForm(recognition.description, self)
        self.outputs = OutputForm(recognition, self)
        self.labels = QPlainTextEdit("\n".join(recognition.description.labels))
        self.labels.setAccessibleName("Class names, one per line")
        self.labels.setTabChangesFocus(True)
        self.labels.setMinimumHeight(96)
        self.labels.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)  # what height is left
        self._details: list[QWidget] = []
        self._proposed = recognition.description.labels
        self._count = QLabel()
        self._count.setObjectName("dim")
        self._count.setWordWrap(True)
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        self._save = QPushButton("Save")
        self._save.setDefault(True)

        self.picture = PreviewPicture()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(self.picture, 1)
        layout.addLayout(self._right_side(), 1)
        self.resize(QSize(1080, 680).boundedTo(self.screen().availableSize()))

        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._preview)
        self.outputs.reading_changed.connect(self._propose_labels)
        self.inputs.changed.connect(self._on_changed)
        self.outputs.changed.connect(self._on_changed)
        self.labels.textChanged.connect(self._on_changed)
        self.finished.connect(self._stop)
        self._worker = PreviewWorker(entry.path, frames, self.picture.changed.emit)
        self.picture.worker = self._worker
        self._worker.start()
        self._show_count()
        self._show_details()
        self._preview()

    @property
    def answers(self) -> Answers:
        """What the form says now, but for the outputs."""
        return self.inputs.answers(parse_label_lines(self.labels.toPlainText()))

    # What it is made of

    def _right_side(self) -> QVBoxLayout:
        form = QWidget()
        side = QVBoxLayout(form)
        side.setContentsMargins(0, 0, 10, 0)
        side.setSpacing(10)
        told = QLabel(self._what_is_known())
        told.setObjectName("dim")
        told.setWordWrap(True)
        told.setTextFormat(Qt.TextFormat.PlainText)  # names from the file are in it
        side.addWidget(told)
        if not self._own:
            grid, self._details = questions_grid(self.inputs, self.outputs, self._recognition.questions)
            side.addLayout(grid)
        head = QHBoxLayout()
        head.addWidget(QLabel(row_name("Class names, one per line", self._asked(Question.LABELS))))
        head.addStretch()
        load = QPushButton("From a file…")
        load.setObjectName("link")
        load.setAutoDefault(False)
        load.clicked.connect(self._load_labels)
        head.addWidget(load)
        side.addLayout(head)
        side.addWidget(self.labels, 1)
        scrolled = QScrollArea()  # on the screen of a small board
        scrolled.setWidget(form)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QScrollArea.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setMinimumWidth(360)
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addWidget(scrolled, 1)
        column.addWidget(self._count)
        buttons = QHBoxLayout()
        later = QPushButton("Not now")
        later.setAutoDefault(False)
        later.clicked.connect(self.reject)
        self._save.clicked.connect(self.save)
        buttons.addStretch()
        buttons.addWidget(later)
        buttons.addWidget(self._save)
        column.addLayout(buttons)
        return column

    def _asked(self, question: Question) -> bool:
        return question in self._recognition.questions

    def _what_is_known(self) -> str:
        reasons = "; ".join(self._recognition.reasons)
        if self._asked(Question.DECODER):
            return f"edgecam does not know this model: {reasons}. Try what its outputs may be, and watch the picture."
        return f"Recognised as {self._recognition.family}: {reasons}."

    # What happens

    def save(self) -> None:
        """Writes the answers into the model's sidecar."""
        changes = {"labels": list(self.answers.labels)} if self._own else self.answers.confirmed()
        try:
            if self._recognised_after_all:
                forget(self._entry.sidecar, "output")
            write_sidecar(self._entry.sidecar, self._read_otherwise() or changes)
        except ModelError as error:
            self._count.setText(str(error))
            return
        self.accept()
        self.saved.emit(str(self._entry.path))

    def load_labels(self, path: Path) -> None:
        """Takes class names from a text file, one per line."""
        try:
            if path.stat().st_size > MAX_LABEL_FILE:
                self._count.setText(f"{path.name} is too large for a list of names.")
                return
            self.labels.setPlainText(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            self._count.setText(f"{path.name} cannot be read as text ({error}).")

    def _load_labels(self) -> None:
        from pathlib import Path

        name, _ = QFileDialog.getOpenFileName(self, "Class names", "", "Text (*.txt *.names *.labels *.csv)")
        if name:
            self.load_labels(Path(name))

    def _propose_labels(self) -> None:
        """Another reading has another number of classes: names that nobody has typed follow it."""
        if self.answers.labels == self._proposed and self.outputs.answers is not None:
            known = () if self._asked(Question.LABELS) else self._recognition.description.labels
            self._proposed = proposed(self.outputs.answers.classes, known)
            self.labels.setPlainText("\n".join(self._proposed))

    def _show_details(self) -> None:
        """What is recognised needs no further answers about its outputs."""
        outputs = self.outputs.answers
        for widget in self._details:
            widget.setVisible(outputs is not None and not outputs.reading.recognised)

    def _on_changed(self) -> None:
        self._show_details()
        self._show_count()
        self._timer.start()

    def _show_count(self) -> None:
        given, outputs = len(self.answers.labels), self.outputs.answers
        needed = outputs.classes if outputs is not None else len(self._recognition.description.labels)
        fits = given > 0 and needed in {given, None}
        self._count.setText(f"{given} names" if fits else f"{given} names, but the model has {needed} classes.")
        self._save.setEnabled(fits)

    @property
    def _recognised_after_all(self) -> bool:
        """A sidecar says how the outputs are read, and the form says that what they look like is right."""
        now, before = self.outputs.answers, self.outputs.before
        return now is not None and before is not None and now.reading.recognised and not before.reading.recognised

    def _read_otherwise(self) -> dict[str, Any]:
        """A sidecar that says how the outputs are read; empty where they were recognised and nobody says otherwise.

        Of a model that is not recognised nothing else is known: such a sidecar says the rest as well.
        """
        outputs, given = self.outputs.answers, self._recognition.description.input
        if outputs is None or (outputs == self.outputs.before and not self._asked(Question.DECODER)):
            return {}
        if outputs.reading.recognised:
            return {}
        kept = {key: getattr(given, key) for key in ("color", "mean", "std", "resize", "pad_value", "stride")}
        whole = {"input": kept, "output": asdict(outputs.spec(len(self.answers.labels)))}
        answers = self.answers
        if outputs.reading != (self.outputs.before and self.outputs.before.reading):
            answers = replace(answers, anchors=())  # they belong to the reading before
        return merged(whole, answers.confirmed())

    def _preview(self) -> None:
        if not self._save.isEnabled():
            return
        try:
            present = read_sidecar(self._entry.sidecar)
        except ModelError:
            present = {}
        if self._recognised_after_all:
            present.pop("output", None)
        changes = self._read_otherwise() or self.answers.sidecar(self.inputs.before)
        self._worker.show(merged({"input": {}, "output": {}, **present}, changes))

    def _stop(self) -> None:
        self._timer.stop()
        self._worker.stop()
        self.picture.worker = None


def explain_sidecar(entry: ModelEntry) -> str:
    """Where the answers for a model lie."""
    return f"Saved in {entry.sidecar}." if entry.bundled else f"Saved in {entry.sidecar.name} beside the model."
