"""Modes, controls, orientation and logins in the real window."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox

from edgecam.camera.base import CameraMode, CameraState
from edgecam.camera.controls import Control, ControlKind
from edgecam.camera.memory import CameraChoice, CameraMemory, default_path
from edgecam.camera.opening import camera_for
from edgecam.camera.orientation import Orientation
from edgecam.camera.pattern import PatternCamera
from edgecam.errors import CameraError
from edgecam.settings import default_path as settings_path
from tests.camera.mjpeg_server import MjpegServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker

ADDRESS = "v4l2:usb-Webcam-video-index0"
LARGE, SMALL = CameraMode(640, 480, 30.0, "MJPG"), CameraMode(320, 240, 30.0, "YUYV")
BROKEN = CameraMode(1920, 1080, 30.0, "MJPG")


class TunableCamera(PatternCamera):
    """A camera with modes and controls; its driver is slow, and one mode fails."""

    def __init__(self, wanted: CameraMode | None, settings: dict[str, int]) -> None:
        mode = wanted or LARGE
        super().__init__(size_wh=(mode.width, mode.height))
        self.name, self.address, self.device, self.wanted = "Webcam", ADDRESS, "/dev/video0", wanted
        self.set: list[tuple[str, int, str]] = []
        self._controls = {
            control.key: control
            for control in (
                Control("brightness", "Brightness", ControlKind.INTEGER, -64, 64, 1, 0, 0),
                Control("auto_exposure", "Auto Exposure", ControlKind.BOOLEAN, 0, 1, 1, 1, 1),
                Control("exposure", "Exposure Time", ControlKind.INTEGER, 1, 5000, 1, 150, 150, active=False),
                Control("power_line", "Power Line Frequency", ControlKind.MENU, 0, 2, 1, 1, 1,
                        ((0, "Disabled"), (1, "50 Hz"), (2, "60 Hz"))),
                Control("focus_now", "Focus Now", ControlKind.BUTTON, 0, 0, 0, 0, 0),
                Control("zoom", "Zoom, Absolute", ControlKind.INTEGER, 0, 2_000_000_000, 1, 0, 0),
            )
        }  # fmt: skip
        for key, value in settings.items():
            self._controls[key] = replace(self._controls[key], value=value)

    def open(self) -> None:
        if self.wanted == BROKEN:
            raise CameraError("The USB bus has no room left for Webcam.")
        super().open()

    @property
    def mode(self) -> CameraMode:
        return self.wanted or LARGE

    @property
    def modes(self) -> tuple[CameraMode, ...]:
        return LARGE, SMALL, BROKEN

    def controls(self) -> list[Control]:
        time.sleep(0.2)
        return list(self._controls.values())

    def set_control(self, key: str, value: int) -> None:
        time.sleep(0.05)
        if key == "power_line" and value == 0:
            raise CameraError("Webcam refuses 0 for “power_line”.")
        self.set.append((key, value, threading.current_thread().name))
        self._controls[key] = replace(self._controls[key], value=value)
        if key == "auto_exposure":
            self._controls["exposure"] = replace(self._controls["exposure"], active=not value)


@pytest.fixture
def window(make_window: WindowMaker, qtbot: QtBot) -> MainWindow:
    window = make_window()

    def open_address(address: str, **options: Any) -> Any:
        if address == ADDRESS:
            return TunableCamera(options["wanted"], dict(options["settings"]))
        return camera_for(address, **options)

    window.cameras._camera_for = open_address
    return window


def remembered() -> CameraChoice:
    """What the next start will find."""
    return CameraMemory(default_path()).choice(ADDRESS)


def wait_live(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.cameras.state is CameraState.LIVE, timeout=8000)


@pytest.fixture
def tuned(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with the camera live and its dialog open, controls read."""
    window.cameras.start(ADDRESS)
    wait_live(window, qtbot)
    qtbot.keyClick(window, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: window.tuning.dialog is not None and "zoom" in window.tuning.dialog.fields, timeout=5000)
    return window


def camera_of(window: MainWindow) -> TunableCamera:
    camera = window.cameras.camera
    assert isinstance(camera, TunableCamera)
    return camera


def test_the_dialog_shows_what_the_driver_lists(tuned: MainWindow) -> None:
    dialog = tuned.tuning.dialog
    assert dialog is not None
    assert list(dialog.fields) == ["brightness", "auto_exposure", "exposure", "power_line", "focus_now", "zoom"]
    assert [dialog.modes.itemText(row) for row in range(dialog.modes.count())] == [
        "Best for a live view", str(BROKEN), str(LARGE), str(SMALL),
    ]  # fmt: skip
    assert not dialog.fields["exposure"].isEnabled()
    menu = dialog.fields["power_line"]
    assert isinstance(menu, QComboBox)
    assert menu.currentText() == "50 Hz"
    assert dialog.fields["brightness"].accessibleName() == "Brightness"
    assert str(LARGE) in dialog.now.text()


def test_a_control_acts_outside_the_gui_thread_and_is_remembered(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog, camera = tuned.tuning.dialog, camera_of(tuned)
    assert dialog is not None
    started = time.monotonic()
    dialog.control_set.emit("brightness", 20)
    assert time.monotonic() - started < 0.05
    qtbot.waitUntil(lambda: [entry[:2] for entry in camera.set] == [("brightness", 20)], timeout=3000)
    assert camera.set[0][2] == "camera controls"
    qtbot.waitUntil(lambda: remembered().settings == {"brightness": 20}, timeout=3000)
    auto = dialog.fields["auto_exposure"]
    assert isinstance(auto, QCheckBox)
    auto.click()
    qtbot.waitUntil(lambda: dialog.fields["exposure"].isEnabled(), timeout=3000)


def test_a_slider_on_the_move_does_not_queue_up(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog, camera = tuned.tuning.dialog, camera_of(tuned)
    assert dialog is not None
    for value in range(50):
        dialog.control_set.emit("brightness", value)
    qtbot.waitUntil(lambda: bool(camera.set) and camera.set[-1][1] == 49, timeout=3000)
    assert len(camera.set) < 5


def test_a_refused_value_is_told(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog = tuned.tuning.dialog
    assert dialog is not None
    dialog.control_set.emit("power_line", 0)
    qtbot.waitUntil(lambda: "refuses 0" in tuned.toast.text, timeout=3000)


def test_reset(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog, camera = tuned.tuning.dialog, camera_of(tuned)
    assert dialog is not None
    dialog.control_set.emit("brightness", 33)
    qtbot.waitUntil(lambda: bool(camera.set), timeout=3000)
    dialog.reset_wanted.emit()
    qtbot.waitUntil(lambda: camera.set[-1][:2] == ("brightness", 0), timeout=3000)
    qtbot.waitUntil(lambda: default_path().exists() and remembered().settings == {}, timeout=3000)


def test_another_mode_is_taken_and_remembered(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog = tuned.tuning.dialog
    assert dialog is not None
    dialog.mode_chosen.emit(SMALL)
    qtbot.waitUntil(lambda: camera_of(tuned).mode == SMALL and tuned.cameras.state is CameraState.LIVE, timeout=8000)
    qtbot.waitUntil(lambda: str(SMALL) in dialog.now.text(), timeout=3000)
    assert str(SMALL) in tuned.camera_picker.facts
    qtbot.waitUntil(lambda: remembered().mode == SMALL, timeout=3000)


def test_a_mode_that_fails_brings_the_old_one_back_with_a_message(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog = tuned.tuning.dialog
    assert dialog is not None
    dialog.mode_chosen.emit(BROKEN)
    qtbot.waitUntil(lambda: "no room left" in tuned.toast.text, timeout=8000)
    wait_live(tuned, qtbot)
    assert camera_of(tuned).mode == LARGE
    qtbot.wait(1000)
    assert remembered().mode is None


def test_the_choice_counts_at_the_next_start(make_window: WindowMaker, window: MainWindow, qtbot: QtBot) -> None:
    memory = CameraMemory(default_path())
    memory.put(ADDRESS, replace(memory.choice(ADDRESS), mode=SMALL, settings={"brightness": 7},
                                orientation=Orientation(90, True)))  # fmt: skip
    window.cameras._memory = memory
    window.cameras.start(ADDRESS)
    wait_live(window, qtbot)
    camera = camera_of(window)
    assert camera.wanted == SMALL
    assert camera._controls["brightness"].value == 7
    assert camera.orientation == Orientation(90, True)
    qtbot.waitUntil(lambda: window.view.frame is not None and window.view.frame.size_wh == (240, 320), timeout=5000)


def test_turning_acts_at_once(tuned: MainWindow, qtbot: QtBot) -> None:
    dialog = tuned.tuning.dialog
    assert dialog is not None
    dialog.rotation.setCurrentIndex(1)
    dialog.rotation.activated.emit(1)
    dialog.mirror.click()
    qtbot.waitUntil(lambda: tuned.view.frame is not None and tuned.view.frame.size_wh == (480, 640), timeout=5000)
    qtbot.waitUntil(lambda: remembered().orientation == Orientation(90, True), timeout=3000)


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    server = MjpegServer()
    server.behaviour.login, server.behaviour.digest = ("me", "s3cret"), True
    yield server
    server.stop()


class TestLogin:
    def log_in(self, window: MainWindow, qtbot: QtBot, password: str) -> None:
        qtbot.waitUntil(lambda: window.cameras.login_dialog is not None, timeout=8000)
        dialog = window.cameras.login_dialog
        assert dialog is not None
        dialog.user.setText("me")
        dialog.password.setText(password)
        window.cameras.login_dialog = None
        dialog.accept()

    def test_is_asked_for_and_never_written(
        self, window: MainWindow, server: MjpegServer, qtbot: QtBot, own_home: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        window.cameras.start("pattern")
        wait_live(window, qtbot)
        window.cameras.choose(server.url)
        self.log_in(window, qtbot, "wr0ng")
        self.log_in(window, qtbot, "s3cret")
        qtbot.waitUntil(lambda: "/video" in window.camera_picker.title, timeout=8000)
        wait_live(window, qtbot)
        assert len([line for line in server.behaviour.requests if line == "/video"]) == 3
        window.cameras.try_again()  # the password is still known
        qtbot.wait(500)
        wait_live(window, qtbot)
        window.preferences.write()
        written = (
            "".join(path.read_text(errors="replace") for path in own_home.rglob("*") if path.is_file())
            + settings_path().read_text()
        )
        for text in (written, caplog.text, window.windowTitle(), window.camera_picker.title):
            assert "s3cret" not in text
            assert "wr0ng" not in text

    def test_at_the_start_the_state_panel_offers_it(
        self, window: MainWindow, server: MjpegServer, qtbot: QtBot
    ) -> None:
        window.cameras.start(server.url)
        qtbot.waitUntil(lambda: window.cameras.state is CameraState.FAILED, timeout=8000)
        requests = len(server.behaviour.requests)
        qtbot.wait(1500)
        assert len(server.behaviour.requests) == requests, "a refused login is not tried again by itself"
        assert window.cameras.camera is not None
        window.cameras.ask_for_login(window.cameras.camera, "The server asks.")
        self.log_in(window, qtbot, "s3cret")
        wait_live(window, qtbot)

    def test_inside_the_address(self, window: MainWindow, server: MjpegServer, qtbot: QtBot) -> None:
        window.cameras.start(f"http://me:s3cret@127.0.0.1:{server.port}/video")
        wait_live(window, qtbot)
        assert window.preferences.value.source == server.url
        assert window.preferences.value.recent == (server.url,)
