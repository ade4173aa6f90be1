"""Models in the window: a stranger's file by drop, the questions about it, and the library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from edgecam.detector.description import Decoder
from edgecam.gui.models.list_dialog import ModelLibraryDialog
from edgecam.gui.models.questions import ModelQuestionsDialog
from edgecam.gui.panel.class_filter import ClassFilterDialog
from tests.fakes import PlainCamera
from tests.family_outputs import efficientdet
from tests.tiny_models import constant_model, describe, gfl_cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker

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


@pytest.fixture
def window(make_window: WindowMaker, qtbot: QtBot) -> Iterator[MainWindow]:
    window = make_window("plain", cameras={"plain": lambda: PlainCamera((40, 90, 160))})
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=WAIT_MS)
    yield window
    if window.models.dialog is not None:
        window.models.dialog.close()


def test_a_dropped_stranger_is_asked_about_and_remembered(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = stranger(tmp_path / "mine.onnx")
    drop(window, path)
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    dialog = window.models.dialog
    assert isinstance(dialog, ModelQuestionsDialog)
    qtbot.waitUntil(lambda: bool(dialog.picture.preview.labels), timeout=WAIT_MS)
    assert dialog.picture.preview.detections is not None
    assert [dialog.picture.preview.labels[i] for i in dialog.picture.preview.detections.class_ids] == ["class 1"]

    dialog.labels.setPlainText("one\ntwo")
    assert not dialog._save.isEnabled()
    assert "2 names, but the model has 3 classes" in dialog._count.text()
    dialog.labels.setPlainText("eins\nzwei 犬\ndrei")
    qtbot.waitUntil(lambda: "zwei 犬" in dialog.picture.preview.labels, timeout=WAIT_MS)
    dialog.inputs.color.setCurrentIndex(1)
    dialog.save()
    saved = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert saved["labels"] == ["eins", "zwei 犬", "drei"]
    assert saved["input"]["color"] == "BGR"
    qtbot.waitUntil(lambda: window.panel.class_list.rows == [("zwei 犬", 1)], timeout=WAIT_MS)
    assert not dialog.isVisible()


def asked(window: MainWindow, qtbot: QtBot) -> ModelQuestionsDialog:
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    dialog = window.models.dialog
    assert isinstance(dialog, ModelQuestionsDialog)
    return dialog


def previewed(dialog: ModelQuestionsDialog) -> list[tuple[str, list[int]]]:
    """Names and rounded boxes of what the preview shows."""
    preview = dialog.picture.preview
    found = preview.detections
    if found is None:
        return []
    return [
        (preview.labels[i], box.round().astype(int).tolist())
        for i, box in zip(found.class_ids, found.boxes, strict=True)
    ]


def unknown(path: Path) -> Path:
    """A thousand columns of nine: centre and size, objectness, four classes; one object of class 2."""
    table = np.zeros((1, 9, 1000), np.float32)
    table[0, :5, 20] = [32, 32, 16, 16, 1]
    table[0, 7, 20] = 0.9
    return constant_model(path, {"mystery": table}, input_shape=(1, 3, 64, 64))


def test_unknown_outputs_are_asked_about_seen_at_once_and_remembered(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.models.choose(str(good(tmp_path / "good.onnx")))
    qtbot.waitUntil(lambda: len(window.view.detections) == 1, timeout=WAIT_MS)
    path = unknown(tmp_path / "odd.onnx")
    drop(window, path)
    dialog = asked(window, qtbot)
    assert window.model_picker.title == "tiny"  # which goes on
    assert [dialog.outputs.reading.itemText(i) for i in range(2)] == [
        "1000 predictions, one per column: box, 5 class scores",
        "1000 predictions, one per column: box, objectness, 4 class scores",
    ]
    # 320 x 240 pixels of the camera on 64 x 64 of the input: what the first reading makes of it
    qtbot.waitUntil(lambda: previewed(dialog) == [("class 0", [120, 80, 200, 160])], timeout=WAIT_MS)
    dialog.outputs.reading.setCurrentIndex(1)
    assert dialog.labels.toPlainText() == "class 0\nclass 1\nclass 2\nclass 3"
    qtbot.waitUntil(lambda: previewed(dialog) == [("class 2", [120, 80, 200, 160])], timeout=WAIT_MS)
    corner = [(dialog.outputs.box.itemText(i)) for i in range(4)].index("Corner and size")
    dialog.outputs.box.setCurrentIndex(corner)
    qtbot.waitUntil(lambda: previewed(dialog) == [("class 2", [160, 120, 240, 200])], timeout=WAIT_MS)
    dialog.outputs.numbering.setCurrentIndex(1)  # the first is the background
    assert dialog.labels.toPlainText() == "class 0\nclass 1\nclass 2"
    qtbot.waitUntil(lambda: previewed(dialog) == [("class 1", [160, 120, 240, 200])], timeout=WAIT_MS)
    dialog.labels.setPlainText("eins\nzwei\ndrei")
    dialog.save()
    saved = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert saved["labels"] == ["eins", "zwei", "drei"]
    assert {key: saved["output"][key] for key in ("decoder", "names", "objectness", "box", "class_ids")} == {
        "decoder": "dense", "names": ["mystery"], "objectness": True, "box": "xywh", "class_ids": [-1, 0, 1, 2],
    }  # fmt: skip
    qtbot.waitUntil(lambda: window.panel.class_list.rows == [("zwei", 1)], timeout=WAIT_MS)
    window.models.describe()  # what was said is found again
    dialog = asked(window, qtbot)
    assert dialog.outputs.reading.currentText().endswith("box, objectness, 4 class scores")
    assert dialog.outputs.box.currentText() == "Corner and size"
    assert dialog.outputs.numbering.currentText() == "The first is the background"


def test_not_now_leaves_the_running_model_and_asks_again_next_time(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.models.choose(str(good(tmp_path / "good.onnx")))
    qtbot.waitUntil(lambda: len(window.view.detections) == 1, timeout=WAIT_MS)
    path = unknown(tmp_path / "odd.onnx")
    for _ in range(2):
        drop(window, path)
        dialog = asked(window, qtbot)
        dialog.reject()
        assert window.toast.text == "odd was not loaded. tiny goes on."
        window.models.dialog = None
    assert not path.with_suffix(".json").exists()
    assert window.model_picker.title == "tiny"
    assert len(window.view.detections) == 1


def test_a_classifier_is_told_from_a_detector(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = constant_model(tmp_path / "net.onnx", {"logits": np.zeros((1, 1000), np.float32)})
    drop(window, path)
    qtbot.waitUntil(lambda: "a model gives that sorts pictures" in window.toast.text, timeout=WAIT_MS)
    assert window.models.dialog is None


def test_a_model_recognised_wrongly_is_read_otherwise(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """Twenty finished boxes of eight numbers look like cells of 16 and 32 pixels, of which there are as many."""
    rows = np.zeros((1, 20, 8), np.float32)
    rows[0, 4, :6] = [16, 16, 48, 48, 0.9, 1]
    path = constant_model(tmp_path / "rows.onnx", {"rows": rows}, input_shape=(1, 3, 64, 64))
    drop(window, path)
    dialog = asked(window, qtbot)
    assert dialog.outputs.reading.currentText().startswith("As recognised: ")
    assert not dialog.outputs.box.isVisible()
    texts = [dialog.outputs.reading.itemText(i) for i in range(dialog.outputs.reading.count())]
    dialog.outputs.reading.setCurrentIndex(texts.index("Finished boxes: box, score, class, 2 more"))
    assert dialog.outputs.box.isVisible()
    qtbot.waitUntil(lambda: previewed(dialog) == [("bicycle", [80, 40, 240, 200])], timeout=WAIT_MS)
    dialog.labels.setPlainText("left\nright")
    dialog.save()
    qtbot.waitUntil(lambda: window.panel.class_list.rows == [("right", 1)], timeout=WAIT_MS)
    window.models.describe()
    dialog = asked(window, qtbot)
    assert dialog.outputs.reading.itemText(0).startswith("As recognised: ")
    assert dialog.outputs.reading.currentText() == "Finished boxes: box, score, class, 2 more"


def test_the_anchors_of_an_efficientdet_are_asked_for(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = constant_model(tmp_path / "raw.onnx", efficientdet(90), input_shape=(1, 3, 128, 128))
    drop(window, path)
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    dialog = window.models.dialog
    assert isinstance(dialog, ModelQuestionsDialog)
    assert dialog.inputs.anchors.currentText().startswith("4 cells")
    dialog.inputs.anchors.setCurrentIndex(0)
    dialog.save()
    saved = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert saved["output"]["anchors"][0][0] == [24, 24]
    qtbot.waitUntil(lambda: window.pipeline.detect.detector.recognition.questions == (), timeout=WAIT_MS)


def test_not_now_is_not_asked_again(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    drop(window, stranger(tmp_path / "mine.onnx"))
    qtbot.waitUntil(lambda: isinstance(window.models.dialog, ModelQuestionsDialog), timeout=WAIT_MS)
    window.models.dialog.reject()
    window.models.dialog = None
    window.models.choose("none")
    window.models.choose(str(tmp_path / "mine.onnx"))
    qtbot.waitUntil(lambda: window.panel.class_list.rows == [("class 1", 1)], timeout=WAIT_MS)
    assert window.models.dialog is None
    assert not (tmp_path / "mine.json").exists()


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


def test_the_size_of_an_open_input_is_chosen(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    given = describe("open", height=None, width=None, sizes=((128, 128),), decoder=Decoder.DENSE)
    table = np.zeros((1, 6, 10), np.float32)
    path = constant_model(tmp_path / "open.onnx", {"boxes": table}, input_shape=(1, 3, "h", "w"), description=given)
    window.models.choose(str(path))
    qtbot.waitUntil(lambda: running_at(window) == (128, 128), timeout=WAIT_MS)
    window.models._fill_menu()
    assert "Input size: 128 × 128" in [action.text() for action in window.model_picker.menu.actions()]
    window.models.choose_size((416, 416))
    qtbot.waitUntil(lambda: running_at(window) == (416, 416), timeout=WAIT_MS)
    window.models.choose(str(good(tmp_path / "good.onnx")))
    qtbot.waitUntil(lambda: window.model_picker.title == "tiny", timeout=WAIT_MS)
    window.models._fill_menu()
    assert "Input 64 × 64, fixed by the file" in [action.text() for action in window.model_picker.menu.actions()]


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
