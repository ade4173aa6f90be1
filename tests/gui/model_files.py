"""What tests of models in the window drop on it, and the dialog that comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from edgecam.gui.models.questions import ModelQuestionsDialog
from tests.tiny_models import constant_model, describe, gfl_cells

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow

WAIT_MS = 30_000


def stranger(path: Path, classes: int = 3) -> Path:
    """A YOLOv8 without metadata: one object of class 1 in the middle of its 64x64 input."""
    table = np.zeros((1, 4 + classes, 84), np.float32)
    table[0, :2] = 32
    table[0, :4, 20] = [32, 32, 16, 16]
    table[0, 5, 20] = 0.9
    return constant_model(path, {"output0": table}, input_shape=(1, 3, 64, 64))


def good(path: Path) -> Path:
    cells = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])
    return constant_model(path, {"cells": cells[None]}, description=describe("tiny"))


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def asked(window: MainWindow, qtbot: QtBot) -> ModelQuestionsDialog:
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    dialog = window.models.dialog
    assert isinstance(dialog, ModelQuestionsDialog)
    return dialog
