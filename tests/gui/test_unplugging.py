"""The window while real V4L2 cameras are unplugged and come back; runs in the emulated machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edgecam import resources
from edgecam.camera.base import CameraState
from edgecam.detector.model_library import ModelLibrary
from edgecam.gui.cameras.watch import CameraWatch
from edgecam.gui.main_window import MainWindow
from edgecam.gui.preferences import Preferences
from edgecam.settings import SettingsStore, default_path
from tests.camera.hardware.conftest import DRIVER, plug_in, unplug, vivid_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.hardware

PATIENCE_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, own_home: Path) -> Iterator[MainWindow]:
    if not vivid_nodes():
        pytest.skip("needs the kernel's vivid cameras (../shared/tools/camera-vm)")
    library = ModelLibrary(resources.models_folder(), own_home / "models")
    window = MainWindow(Preferences(SettingsStore(default_path())), library, CameraWatch(), own_home / "Pictures")
    qtbot.addWidget(window)
    window.resize(640, 480)
    window.show()
    window.models.choose("none")
    yield window
    window.close()
    if not (DRIVER / "vivid.0").exists():
        plug_in()


def wait_state(window: MainWindow, qtbot: QtBot, *states: CameraState) -> float:
    started = time.monotonic()
    qtbot.waitUntil(lambda: window.cameras.state in states, timeout=PATIENCE_MS)
    return time.monotonic() - started


def test_a_camera_is_found_lost_veiled_and_comes_back(window: MainWindow, qtbot: QtBot) -> None:
    node = vivid_nodes()[0]
    window.cameras.start(None)
    wait_state(window, qtbot, CameraState.LIVE)
    assert window.camera_picker.title == node.name
    assert window.preferences.value.source == f"v4l2:{node.stable_id}"
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=PATIENCE_MS)
    for _ in range(3):
        unplug()
        took_s = wait_state(window, qtbot, CameraState.STALLED, CameraState.RECONNECTING)
        print(f"loss seen after {took_s:.2f} s")
        assert took_s < 3
        assert "not connected" in window.camera_picker.facts
        assert window.state_panel.isVisible()
        plug_in()
        took_s = wait_state(window, qtbot, CameraState.LIVE)
        print(f"live again after {took_s:.2f} s")
        assert took_s < 10
        assert not window.state_panel.isVisible()


def test_a_camera_that_is_plugged_in_takes_over_from_the_demo(window: MainWindow, qtbot: QtBot) -> None:
    name = vivid_nodes()[0].name
    unplug()
    qtbot.wait(500)
    window.cameras.start(None)
    qtbot.waitUntil(lambda: window.camera_picker.title == "Demo", timeout=PATIENCE_MS)
    plug_in()
    qtbot.waitUntil(lambda: window.camera_picker.title == name, timeout=PATIENCE_MS)
    wait_state(window, qtbot, CameraState.LIVE)
