"""The window as a user meets it: real window, real demo, the bundled model, the real event loop."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from edgecam import resources
from edgecam.camera.base import CameraState
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.pattern import PatternCamera
from edgecam.settings import default_path
from tests.fakes import FaultyCamera, PlainCamera

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction
    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from edgecam.gui.widgets.picker import Picker
    from tests.gui.conftest import WindowMaker


def entry(picker: Picker, text: str) -> QAction:
    """The menu entry whose text begins with `text`."""
    picker.about_to_open.emit()
    return next(action for action in picker.menu.actions() if action.text().startswith(text))


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(100, 100), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip


def write_video(path: Path, count: int = 20) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for i in range(count):
        writer.write(np.full((240, 320, 3), i * 10, np.uint8))
    writer.release()
    return path


def test_the_demo_shows_boxes_counts_and_figures(live_window: MainWindow, qtbot: QtBot) -> None:
    window = live_window
    assert window.status_line.state_text == "Live"
    assert window.camera_picker.title == "Demo"
    qtbot.waitUntil(lambda: bool(window.panel.class_list.rows), timeout=10_000)
    units = [unit for _, unit in window.figures.chips()]
    assert units[:3] == ["detections/s", "fps", "ms old"]
    assert "skipped by the detector" in window.status_line.losses_text
    assert "80 classes" in window.model_picker.facts


def test_the_confidence_slider_acts_at_once(live_window: MainWindow, qtbot: QtBot) -> None:
    window = live_window
    qtbot.keyClick(window, Qt.Key.Key_Space)  # a standing picture: only the slider can change the boxes
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.PAUSED, timeout=5000)
    qtbot.wait(500)
    window.panel.score.set_value(0.05)
    many = len(window.view.detections)
    window.panel.score.set_value(0.95)
    few = len(window.view.detections)
    assert many > few
    assert window.pipeline.selection.score_threshold == pytest.approx(0.95)
    window.panel.score.set_value(0.05)
    assert len(window.view.detections) == many


def test_the_class_filter_hides_a_class(live_window: MainWindow, qtbot: QtBot) -> None:
    window = live_window
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.PAUSED, timeout=5000)
    qtbot.wait(300)
    window.panel.score.set_value(0.1)
    result = window.detections.result
    assert result is not None
    label = result.labels[int(window.view.detections.class_ids[0])]
    assert label in dict(window.panel.class_list.rows)
    window.detections.open_filter()
    dialog = window.detections.filter_dialog
    assert dialog is not None
    dialog.changed.emit(frozenset({label}))  # type: ignore[attr-defined]
    assert label not in dict(window.panel.class_list.rows)
    assert window.preferences.value.hidden_classes == (label,)
    dialog.close()


def test_a_snapshot_is_saved_with_and_without_boxes(live_window: MainWindow, qtbot: QtBot, own_home: Path) -> None:
    window = live_window
    with qtbot.waitSignal(window.snapshots.saved, timeout=10_000):
        qtbot.keyClick(window, Qt.Key.Key_S)
    plain, boxed = sorted((own_home / "Pictures").glob("*.jpg"), key=lambda path: len(path.name))
    first, second = cv2.imread(str(plain)), cv2.imread(str(boxed))
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (720, 1280, 3)
    assert np.abs(first.astype(int) - second).max() > 80
    assert "Saved" in window.toast.text


def test_a_folder_of_snapshots_that_cannot_be_made_is_said(live_window: MainWindow, own_home: Path) -> None:
    (own_home / "Pictures").write_text("a file in its place")
    live_window.actions_.pictures.trigger()
    assert "Pictures" in live_window.toast.text
    assert "cannot be made" in live_window.toast.text


def test_freeze_holds_the_picture_and_resume_goes_on(live_window: MainWindow, qtbot: QtBot) -> None:
    window = live_window
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.PAUSED, timeout=5000)
    qtbot.wait(200)
    frame = window.view.frame
    qtbot.wait(400)
    assert window.view.frame is frame
    assert window.status_line.state_text == "Frozen"
    # The boxes of a frozen picture are its own.
    qtbot.waitUntil(lambda: window.detections.result is not None and window.detections.result.frame is frame)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.view.frame is not frame, timeout=5000)
    assert window.status_line.state_text == "Live"


def test_full_screen_shows_nothing_but_the_picture(live_window: MainWindow, qtbot: QtBot) -> None:
    window = live_window
    qtbot.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(window.isFullScreen, timeout=3000)
    assert not window.status_line.isVisible()
    assert not window.camera_picker.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.isFullScreen(), timeout=3000)
    assert window.camera_picker.isVisible()


def test_choosing_a_camera_and_a_model_from_the_menus(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("pattern")
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=5000)
    entry(window.camera_picker, "Demo").trigger()
    qtbot.waitUntil(lambda: window.camera_picker.title == "Demo", timeout=10_000)
    name = window.models._library.default().name
    entry(window.model_picker, name).trigger()
    qtbot.waitUntil(lambda: "80 classes" in window.model_picker.facts, timeout=20_000)
    qtbot.waitUntil(lambda: len(window.view.detections) > 0, timeout=20_000)
    entry(window.model_picker, "No model").trigger()
    qtbot.waitUntil(lambda: window.model_picker.title == "No model", timeout=5000)
    assert len(window.view.detections) == 0


def test_dropping_a_video_plays_every_frame_to_its_end(make_window: WindowMaker, qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window("pattern")
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=5000)
    drop(window, write_video(tmp_path / "späte Fahrt.avi"))
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.ENDED, timeout=10_000)
    qtbot.waitUntil(lambda: window.view.frame is not None and window.view.frame.frame_id == 19, timeout=5000)
    assert window.camera_picker.title == "späte Fahrt.avi"
    qtbot.keyClick(window, Qt.Key.Key_Space)  # plays it again
    qtbot.waitUntil(lambda: window.cameras.state is not CameraState.ENDED, timeout=5000)


def test_dropping_a_model_and_a_wrong_file(make_window: WindowMaker, qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window("demo")
    copy = tmp_path / "my model.onnx"
    shutil.copy(next(resources.models_folder().glob("*.onnx")), copy)
    drop(window, copy)
    qtbot.waitUntil(lambda: len(window.view.detections) > 0, timeout=20_000)
    running = window.pipeline.detect.detector
    broken = tmp_path / "page.onnx"
    broken.write_text("<html>404</html>")
    drop(window, broken)
    qtbot.waitUntil(lambda: "page.onnx" in window.toast.text, timeout=10_000)
    assert window.pipeline.detect.detector is running
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    drop(window, text)
    qtbot.waitUntil(lambda: "notes.txt" in window.toast.text, timeout=10_000)
    assert window.camera_picker.title == "Demo"


def test_a_lost_camera_is_veiled_and_comes_back_by_itself(make_window: WindowMaker, qtbot: QtBot) -> None:
    camera = FaultyCamera()
    window = make_window("cam", cameras={"cam": lambda: camera}, model="")
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=5000)
    camera.unplugged = True
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.RECONNECTING, timeout=5000)
    qtbot.waitUntil(window.state_panel.isVisible, timeout=2000)
    assert window.camera_picker.facts == "not connected"
    assert window.panel.class_list.rows == []
    assert window.status_line.state_text.startswith("Reconnecting, try")
    assert window.toast.text == ""
    camera.unplugged = False
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=8000)
    assert not window.state_panel.isVisible()


def test_a_camera_that_fails_leaves_the_old_one_running(make_window: WindowMaker, qtbot: QtBot) -> None:
    good, bad = FaultyCamera(name="Good Cam", device="/dev/a"), FaultyCamera(name="Bad Cam", device="/dev/b")
    bad.refuses = True
    window = make_window("good", cameras={"good": lambda: good, "bad": lambda: bad})
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=5000)
    window.cameras.choose("bad")
    qtbot.waitUntil(lambda: "Bad Cam is not there" in window.toast.text, timeout=5000)
    assert window.camera_picker.title == "Good Cam"
    painted = window.view.painted.count
    qtbot.waitUntil(lambda: window.view.painted.count > painted + 5, timeout=5000)


def test_without_a_camera_the_demo_plays_and_says_so(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window()
    window.cameras.start(None)
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=10_000)
    assert window.cameras.is_demo
    assert "No camera was found" in window.toast.text
    assert ("Demo", "bundled clip") in window.figures.chips()


def test_a_wrong_source_at_the_start_explains_itself(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("/no/such/video.mp4")
    assert window.state_panel.isVisible()
    assert "/no/such/video.mp4" in window.state_panel.accessibleDescription()


@pytest.mark.parametrize("trouble", ["hangs", "silent", "unplugged"])
def test_closing_ends_everything_within_two_seconds(make_window: WindowMaker, qtbot: QtBot, trouble: str) -> None:
    camera = FaultyCamera()
    setattr(camera, trouble, True)
    window = make_window("cam", cameras={"cam": lambda: camera}, model="")
    qtbot.wait(300)
    started = time.monotonic()
    window.close()
    assert time.monotonic() - started < 2
    qtbot.waitUntil(lambda: not any("capture" in thread.name for thread in threading.enumerate()), timeout=2000)


def test_settings_are_remembered_and_survive_a_broken_file(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("pattern")
    window.panel.score.set_value(0.55)
    window.actions_.panel.trigger()
    window.choose_theme("light")
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=5000)
    window.close()
    stored = json.loads(default_path().read_text())
    assert (stored["score"], stored["panel"], stored["theme"], stored["source"]) == (0.55, False, "light", "pattern")
    again = make_window()
    assert again.preferences.value.score == pytest.approx(0.55)
    assert not again.panel.isVisible()
    again.close()
    default_path().write_text("{ this is not JSON")
    third = make_window()
    assert third.preferences.value.theme == "system"
    assert "could not be read" in third.toast.text
    assert default_path().with_suffix(".broken.json").exists()


def test_fifty_cameras_in_a_row_leave_no_thread(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("red", cameras={
        "red": lambda: PlainCamera((0, 0, 255)), "blue": lambda: PlainCamera((255, 0, 0))
    })  # fmt: skip
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=5000)
    for i in range(50):
        window.cameras.choose(("blue", "red")[i % 2])
        wanted = ("Plain (255, 0, 0)", "Plain (0, 0, 255)")[i % 2]
        qtbot.waitUntil(lambda wanted=wanted: window.camera_picker.title == wanted, timeout=5000)  # type: ignore[misc]
    qtbot.waitUntil(
        lambda: sum(thread.name.startswith("capture") for thread in threading.enumerate()) == 1, timeout=3000
    )


def test_small_windows_get_round_buttons(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("pattern", cameras={"pattern": PatternCamera}, size=(800, 480))
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=5000)
    assert window.parts.floating.isVisible()
    assert not window.status_line.isVisible()
    assert min(window.parts.floating.SIDE, 48) >= 48
    window.resize(1280, 800)
    qtbot.waitUntil(window.status_line.isVisible, timeout=3000)
    assert not window.parts.floating.isVisible()


def test_every_control_has_a_name_for_screen_readers(make_window: WindowMaker) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider

    window = make_window("pattern")
    for kind in (QAbstractButton, QAbstractSlider):
        for control in window.findChildren(kind):
            named = control.accessibleName() or getattr(control, "text", str)()
            inside = type(control).__name__ in {"QScrollBar"} or control.objectName().startswith("qt_")
            assert named or inside, control


def test_a_camera_that_is_plugged_in_is_offered_at_once(make_window: WindowMaker, qtbot: QtBot) -> None:
    info = CameraInfo("Fake Cam", "cam", "/dev/fake0", "USB 1-1", next(iter(CameraKind)))
    other = CameraInfo("Other Cam", "other", "/dev/fake1", "USB 1-2", next(iter(CameraKind)))
    found: list[CameraInfo] = []
    window = make_window(cameras={"cam": FaultyCamera}, found=found)
    window.cameras.start(None)
    qtbot.waitUntil(lambda: window.cameras.is_demo, timeout=10_000)
    found.append(info)  # it takes the place of the demo
    qtbot.waitUntil(lambda: window.camera_picker.title == "Fake Cam", timeout=5000)
    found.append(other)  # a second one is offered
    qtbot.waitUntil(lambda: "Other Cam was plugged in" in window.toast.text, timeout=5000)
    assert window.camera_picker.title == "Fake Cam"
    window.camera_picker.about_to_open.emit()
    assert any(action.text().startswith("Other Cam") for action in window.camera_picker.menu.actions())


def test_a_camera_without_permission_says_what_to_do(make_window: WindowMaker, qtbot: QtBot) -> None:
    why = "You may not use it: join the group video."
    info = CameraInfo("Locked Cam", "locked", "/dev/fake0", "USB 1-1", next(iter(CameraKind)), why)
    window = make_window(found=[info])
    window.cameras.start(None)
    qtbot.waitUntil(lambda: window.cameras.is_demo, timeout=10_000)
    assert why in window.toast.text
