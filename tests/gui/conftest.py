"""The real window, with a home of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from edgecam import resources
from edgecam.camera.hotplug import CameraWatcher
from edgecam.camera.opening import camera_for
from edgecam.detector.model_library import ModelLibrary
from edgecam.gui.cameras.watch import CameraWatch
from edgecam.gui.main_window import MainWindow
from edgecam.gui.preferences import Preferences
from edgecam.settings import SettingsStore, default_path
from tests.fakes import PlainCamera

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.camera.base import Camera
    from edgecam.camera.info import CameraInfo

WindowMaker = Callable[..., MainWindow]


@pytest.fixture
def make_window(qtbot: QtBot, own_home: Path) -> Iterator[WindowMaker]:
    """Makes windows that are shown, and closed at the test's end.

    Keywords: cameras (address → a Camera to give for it), found (the cameras that are plugged in; may change), model.
    """
    windows: list[MainWindow] = []

    def make(
        source: str | None = None,
        *,
        model: str = "none",
        cameras: dict[str, Callable[[], Camera]] | None = None,
        found: list[CameraInfo] | None = None,
        size: tuple[int, int] = (1280, 800),
    ) -> MainWindow:
        def open_address(address: str, **options: Any) -> Camera:
            return cameras[address]() if cameras and address in cameras else camera_for(address, **options)

        there = found if found is not None else []

        def watcher(on_change: Callable[..., None]) -> CameraWatcher:
            return CameraWatcher(
                on_change, look=lambda: list(there), snapshot=lambda: tuple(there), listen=lambda: None, poll_s=0.1
            )

        library = ModelLibrary(resources.models_folder(), own_home / "models")
        window = MainWindow(
            Preferences(SettingsStore(default_path())),
            library,
            CameraWatch(watcher),
            own_home / "Pictures",
            camera_for=open_address,
        )
        windows.append(window)
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        window.models.choose(model)
        if source is not None:
            window.cameras.start(source)
        return window

    yield make
    for window in windows:
        window.close()


@pytest.fixture
def live_window(make_window: WindowMaker, qtbot: QtBot) -> MainWindow:
    """The demo with the bundled detector, once boxes are on the screen."""
    window = make_window("demo", model="")
    qtbot.waitUntil(lambda: len(window.view.detections) > 0, timeout=20_000)
    return window


@pytest.fixture
def plain_window(make_window: WindowMaker, qtbot: QtBot) -> Iterator[MainWindow]:
    """The window with a camera of one colour and no model; a dialog of models left open is closed."""
    window = make_window("plain", cameras={"plain": lambda: PlainCamera((40, 90, 160))})
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=30_000)
    yield window
    if window.models.dialog is not None:
        window.models.dialog.close()
