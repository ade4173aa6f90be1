"""Models in the window: bad files, sizes, and the library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt

from edgecam.detector.description import Decoder
from edgecam.gui.models.list_dialog import ModelLibraryDialog
from edgecam.gui.models.questions import ModelQuestionsDialog
from edgecam.gui.panel.class_filter import ClassFilterDialog
from tests.gui.model_files import WAIT_MS, drop, good
from tests.tiny_models import constant_model, describe

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow


@pytest.fixture
def window(plain_window: MainWindow) -> MainWindow:
    return plain_window


@pytest.mark.parametrize("content", [b"<html>Sign in</html>", b"", b"\x08\x08garbage"])
def test_a_bad_file_is_one_message_and_the_old_model_goes_on(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, content: bytes
) -> None:
    window.models.choose(str(good(tmp_path / "good.onnx")))
    qtbot.waitUntil(lambda: len(window.view.detections) == 1, timeout=WAIT_MS)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(content)
    drop(window, bad)
    qtbot.waitUntil(lambda: "bad.onnx" in window.toast.text, timeout=WAIT_MS)
    assert window.toast.text.endswith("tiny goes on.")
    qtbot.wait(200)
    assert len(window.view.detections) == 1


def running_at(window: MainWindow) -> tuple[int, int] | None:
    detector = window.pipeline.detect.detector
    return detector.base_hw if detector else None


def menu_of(window: MainWindow) -> list[str]:
    window.models._fill_menu()
    return [action.text() for action in window.model_picker.menu.actions()]


def test_the_size_of_an_open_input_is_chosen(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    given = describe("open", height=None, width=None, sizes=((128, 128),), decoder=Decoder.DENSE)
    table = np.zeros((1, 6, 10), np.float32)
    path = constant_model(tmp_path / "open.onnx", {"boxes": table}, input_shape=(1, 3, "h", "w"), description=given)
    window.models.choose(str(path))
    qtbot.waitUntil(lambda: running_at(window) == (128, 128), timeout=WAIT_MS)
    # The picker names a model from the start of its loading, the menu offers sizes once the window knows it runs.
    qtbot.waitUntil(lambda: "Input size: 128 × 128" in menu_of(window), timeout=WAIT_MS)
    assert window.model_picker.title == "open"
    window.models.choose_size((416, 416))
    qtbot.waitUntil(lambda: running_at(window) == (416, 416), timeout=WAIT_MS)
    window.models.choose(str(good(tmp_path / "good.onnx")))
    qtbot.waitUntil(lambda: "Input 64 × 64, fixed by the file" in menu_of(window), timeout=WAIT_MS)
    assert window.model_picker.title == "tiny"


def library_of(window: MainWindow) -> ModelLibraryDialog:
    window.models.open_library()
    dialog = window.models.dialog
    assert isinstance(dialog, ModelLibraryDialog)
    return dialog


def names(dialog: ModelLibraryDialog) -> list[str]:
    return [dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())]


def test_the_library_adds_measures_uses_and_removes(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = library_of(window)
    before = names(dialog)
    dialog.add_file(good(tmp_path / "extra.onnx"))
    assert not dialog.add.isEnabled()
    qtbot.waitUntil(lambda: "extra was added." in dialog.message.text(), timeout=WAIT_MS)
    assert names(dialog) == [*before, "extra"]
    row = len(before)
    dialog.table.selectRow(row)
    assert dialog.table.item(row, 1).text() == "2"
    assert dialog.table.item(row, 3).text().endswith("ms (64×64)")
    dialog.measure.click()
    qtbot.waitUntil(lambda: "per frame at 64 × 64" in dialog.message.text(), timeout=WAIT_MS)
    dialog.use.click()
    qtbot.waitUntil(lambda: len(window.view.detections) == 1, timeout=WAIT_MS)
    dialog = library_of(window)
    dialog.table.selectRow(row)
    dialog.remove.click()
    assert "extra was removed" in dialog.message.text()


def test_what_cannot_be_added_is_said(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    dialog = library_of(window)
    before = names(dialog)
    (tmp_path / "page.onnx").write_text("<html>")
    dialog.add_file(tmp_path / "page.onnx")
    qtbot.waitUntil(lambda: "a web page" in dialog.message.text(), timeout=WAIT_MS)
    assert names(dialog) == before


def test_bundled_models_stay(window: MainWindow) -> None:
    dialog = library_of(window)
    for row, facts in enumerate(dialog._facts):
        dialog.table.selectRow(row)
        assert dialog.remove.isEnabled() == (not facts.entry.bundled)


def test_classes_of_a_bundled_model_get_names_of_ones_own(window: MainWindow, qtbot: QtBot) -> None:
    entry = window.models._library.default()
    assert entry.bundled
    window.models.choose(entry.name)
    qtbot.waitUntil(lambda: window.model_picker.title != "No model", timeout=WAIT_MS)
    dialog = library_of(window)
    dialog.table.selectRow([facts.entry for facts in dialog._facts].index(entry))
    assert dialog.describe.isEnabled()
    dialog.describe.click()
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    questions = window.models.dialog
    assert isinstance(questions, ModelQuestionsDialog)
    names = questions.labels.toPlainText().splitlines()
    questions.labels.setPlainText("\n".join(["Mensch 人", *names[1:]]))
    questions.save()
    assert json.loads(entry.sidecar.read_text(encoding="utf-8"))["labels"] == ["Mensch 人", *names[1:]]
    assert not entry.path.is_relative_to(entry.sidecar.parents[1])
    assert not entry.path.with_suffix(".json").exists()
    assert str(entry.sidecar) in window.toast.text
    qtbot.waitUntil(lambda: "Mensch 人" in window.pipeline.detect.detector.labels, timeout=WAIT_MS)

    dialog = library_of(window)
    enabled = []
    for row, facts in enumerate(dialog._facts):
        dialog.table.selectRow(row)
        enabled.append((facts.entry.name, dialog.restore.isEnabled()))
    assert [name for name, on in enabled if on] == [entry.name]
    dialog.table.selectRow([facts.entry for facts in dialog._facts].index(entry))
    dialog.restore.click()
    assert dialog.message.text() == f"{entry.name} has its own class names again."
    assert not dialog.restore.isEnabled()
    assert not entry.sidecar.exists()
    qtbot.waitUntil(lambda: window.pipeline.detect.detector.labels == tuple(names), timeout=WAIT_MS)


def test_a_thousand_classes_are_found_by_typing(qtbot: QtBot) -> None:
    labels = [f"Pflanze Nr. {i} 植物" for i in range(999)] + ["needle"]
    dialog = ClassFilterDialog(labels, ["needle"])
    qtbot.addWidget(dialog)
    dialog.show()
    dialog._search.setText("NEED")
    assert [item.text() for item in dialog._items() if not item.isHidden()] == ["needle"]
    dialog._set_visible(Qt.CheckState.Checked)
    assert dialog.hidden == frozenset()
