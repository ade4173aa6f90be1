"""The window while real V4L2 cameras are unplugged and come back; runs in the emulated machine."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from edgecam import resources
from edgecam.camera.base import CameraState
from edgecam.detector.model_library import ModelLibrary
from edgecam.gui.cameras.watch import CameraWatch
from edgecam.gui.main_window import MainWindow
from edgecam.gui.preferences import Preferences
from edgecam.settings import SettingsStore, default_path
from tests.camera.fault_table import FaultRow
from tests.camera.hardware.conftest import DRIVER, Held, plug_in, unplug, v4l2_ctl, vivid_nodes
from tests.camera.test_faults import LIVE_WITHIN_S, SEEN_WITHIN_S
from tests.gui.event_loop import LoopWatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from edgecam.pipeline.capture import CameraStatus
    from tests.camera.fault_table import FaultTable

pytestmark = pytest.mark.hardware

PATIENCE_MS = 60_000
LOST = (CameraState.STALLED, CameraState.RECONNECTING)


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


class Watched:
    """A window with a camera, and when it showed which state."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self._qtbot = window, qtbot
        self._shown: list[tuple[float, CameraStatus]] = []
        window.cameras.state_changed.connect(self._note)

    def _note(self) -> None:
        capture = self.window.pipeline.capture
        if capture is not None:
            self._shown.append((time.monotonic(), capture.status))

    def wait(self, *states: CameraState, since: float = 0.0) -> tuple[float, CameraStatus]:
        """When the window first showed one of the states after `since`, and what it said."""

        def found() -> list[tuple[float, CameraStatus]]:
            return [(at, status) for at, status in self._shown if at >= since and status.state in states]

        self._qtbot.waitUntil(lambda: bool(found()), timeout=PATIENCE_MS)
        return found()[0]

    def lose(self, away_s: float) -> FaultRow:
        """Unplugs the camera and plugs it in again, while the window goes on."""
        before = threading.active_count(), Held.open_files()
        with ThreadPoolExecutor(1) as hand:
            unplugged_at = time.monotonic()
            hand.submit(unplug)
            seen_at, status = self.wait(*LOST, since=unplugged_at)
            assert "not connected" in self.window.camera_picker.facts
            assert self.window.state_panel.isVisible()
            self._qtbot.wait(max(0, round(1000 * (away_s - (time.monotonic() - unplugged_at)))))
            plugging = hand.submit(plug_in)
            live_at, _status = self.wait(CameraState.LIVE, since=seen_at)
            returned_at = plugging.result()
        assert not self.window.state_panel.isVisible()
        self._qtbot.wait(300)
        after = threading.active_count(), Held.open_files()
        return FaultRow(
            "V4l2", "unplugged, in window", away_s, seen_at - unplugged_at, live_at - returned_at, None, before, after,
            0.0, status,
        )  # fmt: skip


@pytest.fixture
def watched(window: MainWindow, qtbot: QtBot) -> Watched:
    """The first camera, live, by its stable id."""
    node = vivid_nodes()[0]
    watched = Watched(window, qtbot)
    window.cameras.start(None)
    watched.wait(CameraState.LIVE)
    assert window.camera_picker.title == node.name
    assert window.preferences.value.source == f"v4l2:{node.stable_id}"
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=PATIENCE_MS)
    return watched


@pytest.mark.parametrize("away_s", [0.3, 1.7, 6.0])
def test_a_camera_is_lost_veiled_and_comes_back(
    watched: Watched, away_s: float, qtbot: QtBot, fault_report: FaultTable
) -> None:
    loop = LoopWatch(watched.window)
    qtbot.wait(2000)
    live_ms = loop.worst_ms
    loop.forget()
    row = watched.lose(away_s)
    fault_report.append(row)
    # In emulation everything takes several times as long; tests/gui/test_event_loop.py has the limit.
    fault_report.append(
        f"event loop meanwhile: held up for at most {loop.worst_ms:.0f} ms, while live {live_ms:.0f} ms"
    )
    assert row.seen_s < SEEN_WITHIN_S, row
    assert row.live_s < LIVE_WITHIN_S, row
    assert row.before == row.after, row


def test_its_controls_come_back_with_it(watched: Watched, qtbot: QtBot) -> None:
    def brightness() -> str:
        return v4l2_ctl("-d", vivid_nodes()[0].path, "-C", "brightness").strip()

    watched.window.tuning.open()
    assert watched.window.tuning.dialog is not None
    watched.window.tuning.dialog.control_set.emit("brightness", 200)
    qtbot.waitUntil(lambda: brightness() == "brightness: 200", timeout=PATIENCE_MS)
    watched.lose(0.3)  # a driver that is bound anew starts with its own values
    assert brightness() == "brightness: 200"
    watched.window.tuning.dialog.close()


@pytest.mark.long
def test_a_hundred_losses_leave_nothing(watched: Watched, fault_report: FaultTable) -> None:
    rows = [watched.lose(0.5)]
    before = Held.now()
    rows += [watched.lose(0.2) for _ in range(100)]
    after = Held.now()
    fault_report.append(f"100 cycles of unplugging, V4L2 in the window: {before} → {after}")
    fault_report.append(max(rows, key=lambda row: row.live_s))
    assert (after.threads, after.files) == (before.threads, before.files)
    assert after.memory_kib - before.memory_kib < 100 * len(rows) + 4096
    assert max(row.live_s for row in rows) < LIVE_WITHIN_S


def test_a_camera_that_is_plugged_in_takes_over_from_the_demo(window: MainWindow, qtbot: QtBot) -> None:
    name = vivid_nodes()[0].name
    unplug()
    qtbot.wait(500)
    window.cameras.start(None)
    qtbot.waitUntil(lambda: window.camera_picker.title == "Demo", timeout=PATIENCE_MS)
    plug_in()
    watched = Watched(window, qtbot)
    qtbot.waitUntil(lambda: window.camera_picker.title == name, timeout=PATIENCE_MS)
    if window.cameras.state is not CameraState.LIVE:
        watched.wait(CameraState.LIVE)
