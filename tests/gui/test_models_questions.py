"""Models about which something has to be asked: what the dialog shows at once, saves and finds again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.gui.models.questions import ModelQuestionsDialog
from tests.family_outputs import efficientdet
from tests.gui.model_files import WAIT_MS, asked, drop, good, stranger
from tests.tiny_models import constant_model

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow


@pytest.fixture
def window(plain_window: MainWindow) -> MainWindow:
    return plain_window


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
    # It was recognised rightly after all. Of two names, so far, there can be no objectness: four classes.
    dialog.outputs.reading.setCurrentIndex(0)
    assert dialog.labels.toPlainText() == "class 0\nclass 1\nclass 2\nclass 3"
    dialog.save()
    saved = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert "output" not in saved
    qtbot.waitUntil(lambda: window.pipeline.detect.detector.recognition.family.startswith("YOLOv8"), timeout=WAIT_MS)


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
    detect = window.pipeline.detect
    qtbot.waitUntil(lambda: detect.detector.recognition.questions == (), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.models._running is detect.detector, timeout=WAIT_MS)  # the window learns it later
    window.models.describe()
    dialog = asked(window, qtbot)
    assert dialog.inputs.anchors.currentText().startswith("3 cells")
    assert dialog.outputs.reading.currentText().startswith("As recognised: ")


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
