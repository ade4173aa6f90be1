"""The dialog that asks what a model's file does not say, and shows at once what each answer does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from edgecam.detector.recognition.match import Question
from edgecam.detector.recognition.sidecar import merged, read_sidecar, write_sidecar
from edgecam.errors import ModelError
from edgecam.gui.models.answers import (
    COLORS,
    COUNTED,
    RESIZES,
    SCALINGS,
    SIZES,
    Answers,
    anchor_choices,
    parse_label_lines,
)
from edgecam.gui.models.preview import PreviewPicture, PreviewWorker
from edgecam.gui.widgets.icons import line_pixmap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

    from edgecam.detector.model_library import ModelEntry
    from edgecam.detector.recognition.recognition import Recognition

TYPING_MS = 400
MAX_LABEL_FILE = 4 << 20


class ModelQuestionsDialog(QDialog):
    """Form at the right, live preview at the left. `saved` comes after the sidecar was written.

    Args:
        entry: of the model, which has passed its trial.
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
        self._before = Answers.of(recognition.description)
        self._own = recognition.family == "edgecam"

        self.color = _choice([text for _, text in COLORS])
        self.scaling = _choice([one.text for one in SCALINGS])
        self.resize_rule = _choice([text for _, text in RESIZES])
        self.anchors = _choice([])
        self.input_size = _choice([])
        self.labels = QPlainTextEdit()
        self.labels.setAccessibleName("Class names, one per line")
        self.labels.setTabChangesFocus(True)
        self._count = QLabel()
        self._count.setObjectName("dim")
        self._count.setWordWrap(True)
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        self._save = QPushButton("Save")
        self._save.setDefault(True)
        self._fill()

        self.picture = PreviewPicture()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(self.picture, 3)
        layout.addLayout(self._right_side(), 2)
        self.resize(1020, 620)

        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._preview)
        for combo in (self.color, self.scaling, self.resize_rule, self.anchors, self.input_size):
            combo.currentIndexChanged.connect(self._on_changed)
        self.labels.textChanged.connect(self._on_changed)
        self.finished.connect(self._stop)
        self._worker = PreviewWorker(entry.path, frames, self.picture.changed.emit)
        self.picture.worker = self._worker
        self._worker.start()
        self._show_count()
        self._preview()

    @property
    def answers(self) -> Answers:
        """What the form says now."""
        return Answers(
            COLORS[self.color.currentIndex()][0],
            self.scaling.currentIndex() if self.scaling.currentIndex() < len(SCALINGS) else -1,
            RESIZES[self.resize_rule.currentIndex()][0],
            self.input_size.currentData(),
            parse_label_lines(self.labels.toPlainText()),
            self._anchors[self.anchors.currentIndex()] if self._anchors else (),
        )

    # What it is made of

    def _fill(self) -> None:
        before = self._before
        self.color.setCurrentIndex([color for color, _ in COLORS].index(before.color))
        if before.scaling < 0:
            self.scaling.addItem("As the file says")
        self.scaling.setCurrentIndex(before.scaling if before.scaling >= 0 else self.scaling.count() - 1)
        choices = anchor_choices(self._recognition.description)
        self.anchors.addItems([text for _, text in choices])
        known = next((i for i, (anchors, _) in enumerate(choices) if anchors == before.anchors), -1)
        if choices and known < 0:
            self.anchors.addItem("As the file says")
        self._anchors = [*(anchors for anchors, _ in choices), before.anchors] if choices else []
        self.anchors.setCurrentIndex(known if known >= 0 else self.anchors.count() - 1)
        self.resize_rule.setCurrentIndex([rule for rule, _ in RESIZES].index(before.resize))
        given = self._recognition.description.input
        if before.input_hw is None:
            self.input_size.addItem(f"{given.width} × {given.height}, fixed by the file", None)
            self.input_size.setEnabled(False)
        else:
            for hw in dict.fromkeys([before.input_hw, *((side, side) for side in SIZES)]):
                self.input_size.addItem(f"{hw[1]} × {hw[0]}", hw)
        self.labels.setPlainText("\n".join(before.labels))

    def _right_side(self) -> QVBoxLayout:
        side = QVBoxLayout()
        side.setSpacing(10)
        family = QLabel(f"Recognised as {self._recognition.family}: {'; '.join(self._recognition.reasons)}.")
        family.setObjectName("dim")
        family.setWordWrap(True)
        family.setTextFormat(Qt.TextFormat.PlainText)  # names from the file are in it
        side.addWidget(family)
        form = QFormLayout()
        form.setSpacing(10)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        asked = self._recognition.questions
        if not self._own:
            raw = self._recognition.description.input.dtype in {"uint8", "int8"}
            self.scaling.setEnabled(not raw)
            form.addRow(_row_name("Colours", Question.COLOR in asked), self.color)
            form.addRow(_row_name("Pixel values", Question.SCALING in asked), self.scaling)
            form.addRow(_row_name("Fitting the picture", Question.RESIZE in asked), self.resize_rule)
            form.addRow(_row_name("Input size", False), self.input_size)
            if self.anchors.count():
                form.addRow(_row_name("Anchor boxes", Question.ANCHORS in asked), self.anchors)
        side.addLayout(form)
        head = QHBoxLayout()
        head.addWidget(QLabel(_row_name("Class names, one per line", Question.LABELS in asked)))
        head.addStretch()
        load = QPushButton("From a file…")
        load.setObjectName("link")
        load.setAutoDefault(False)
        load.clicked.connect(self._load_labels)
        head.addWidget(load)
        side.addLayout(head)
        side.addWidget(self.labels, 1)
        side.addWidget(self._count)
        buttons = QHBoxLayout()
        later = QPushButton("Not now")
        later.setAutoDefault(False)
        later.clicked.connect(self.reject)
        self._save.clicked.connect(self.save)
        buttons.addStretch()
        buttons.addWidget(later)
        buttons.addWidget(self._save)
        side.addLayout(buttons)
        return side

    # What happens

    def save(self) -> None:
        """Writes the answers into the sidecar beside the model."""
        changes = {"labels": list(self.answers.labels)} if self._own else self.answers.confirmed()
        try:
            write_sidecar(self._entry.sidecar, changes)
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

    def _on_changed(self) -> None:
        self._show_count()
        self._timer.start()

    def _show_count(self) -> None:
        given, needed = len(self.answers.labels), len(self._before.labels)
        counted = self._recognition.description.output.decoder in COUNTED
        fits = given == needed or (given > 0 and not counted)
        self._count.setText(f"{given} names" if fits else f"{given} names, but the model has {needed} classes.")
        self._save.setEnabled(fits)

    def _preview(self) -> None:
        if not self._save.isEnabled():
            return
        try:
            present = read_sidecar(self._entry.sidecar)
        except ModelError:
            present = {}
        changes: dict[str, Any] = self.answers.sidecar(self._before)
        self._worker.show(merged({"input": {}, "output": {}, **present}, changes))

    def _stop(self) -> None:
        self._timer.stop()
        self._worker.stop()
        self.picture.worker = None


class _Choice(QComboBox):
    """A combo box with an arrow of our own: style sheets can only take one from a file."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText).name()
        arrow = line_pixmap("chevron", colour, 20, self.devicePixelRatioF())
        QPainter(self).drawPixmap(QPoint(self.width() - 30, (self.height() - 20) // 2), arrow)


def explain_sidecar(entry: ModelEntry) -> str:
    """Where the answers for a model lie."""
    return f"Saved in {entry.sidecar}." if entry.bundled else f"Saved in {entry.sidecar.name} beside the model."


def _choice(texts: Sequence[str]) -> QComboBox:
    combo = _Choice()
    combo.addItems(list(texts))
    combo.setMinimumHeight(36)
    return combo


def _row_name(text: str, guessed: bool) -> str:
    return f"{text} – guessed, please check" if guessed else text
