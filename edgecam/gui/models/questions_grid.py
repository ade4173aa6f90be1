"""How the choices of the questions are laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from edgecam.detector.recognition.match import Question

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edgecam.gui.models.input_form import InputForm
    from edgecam.gui.models.output_form import OutputForm


def questions_grid(
    inputs: InputForm, outputs: OutputForm, asked: Collection[Question]
) -> tuple[QGridLayout, list[QWidget]]:
    """Two columns of choices, each below its name; the way to read the outputs over both.

    Returns: the layout, and what is only of use where the outputs are not recognised.
    """
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    details: list[QWidget] = []
    if outputs.readings:
        unknown = Question.DECODER in asked
        name = QLabel(row_name("What the outputs are", unknown))
        name.setBuddy(outputs.reading)
        outputs.reading.setAccessibleName(name.text())
        grid.addWidget(name, 0, 0, 1, 2)
        grid.addWidget(outputs.reading, 1, 0, 1, 2)
        of_outputs = [
            (row_name("Numbers of a box", unknown), outputs.box),
            (row_name("Their unit", unknown), outputs.units),
            (row_name("Scores", unknown), outputs.scores),
            (row_name("Classes", unknown), outputs.numbering),
        ]
        details = _add_cells(grid, of_outputs, first_row=2)
    of_inputs = [
        (row_name("Colours", Question.COLOR in asked), inputs.color),
        (row_name("Pixel values", Question.SCALING in asked), inputs.scaling),
        (row_name("Fitting the picture", Question.RESIZE in asked), inputs.fitting),
        (row_name("Input size", False), inputs.size),
    ]
    if inputs.anchors.count():
        of_inputs.append((row_name("Anchor boxes", Question.ANCHORS in asked), inputs.anchors))
    _add_cells(grid, of_inputs, first_row=6)
    return grid, details


def _add_cells(grid: QGridLayout, cells: Sequence[tuple[str, QWidget]], *, first_row: int) -> list[QWidget]:
    """Lays choices out in two columns, each below its name; returns all that was added."""
    added: list[QWidget] = []
    for i, (text, choice) in enumerate(cells):
        name = QLabel(text)
        name.setBuddy(choice)
        name.setContentsMargins(0, 6, 0, 0)
        choice.setAccessibleName(text)
        row = first_row + i // 2 * 2
        grid.addWidget(name, row, i % 2)
        grid.addWidget(choice, row + 1, i % 2)
        added += [name, choice]
    return added


def row_name(text: str, guessed: bool) -> str:
    """The name of a choice, and whether what it says is a guess."""
    return f"{text} · guessed" if guessed else text
