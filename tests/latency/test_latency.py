"""Light to light, with a camera that films the window with a known delay."""

from __future__ import annotations

import json
import queue
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer

from edgecam.camera.base import Camera
from edgecam.cli import main
from edgecam.commands.latency import as_json, as_text
from edgecam.errors import CameraError, CameraTimeout
from edgecam.frames import Frame
from edgecam.gui.latency_window import LatencyWindow
from edgecam.latency.matching import Delay, Sight, Toggle, intervals, match

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

PERIOD_S = 1 / 30


class FilmingCamera(Camera):
    """Films the window's square 30 times per second, and delivers each frame `delay_s` later."""

    def __init__(self, window: LatencyWindow, delay_s: float, dim: float = 1.0) -> None:
        super().__init__()
        self.name = self.address = "filming"
        self._window, self._delay_s, self._dim = window, delay_s, dim
        self._film: queue.Queue[tuple[float, np.ndarray]] = queue.Queue()
        self._next_id = 0
        self._timer = QTimer(window)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._expose)
        self._timer.start(round(PERIOD_S * 1000))

    def _expose(self) -> None:
        """In the GUI thread: what is really rendered, not what was asked for."""
        picture = self._window.square.grab().toImage().scaled(32, 32)
        grey = picture.pixelColor(16, 16).lightness()
        image = np.full((120, 160, 3), 60, np.uint8)
        image[30:90, 40:120] = 60 + round((grey - 60) * self._dim)
        self._film.put((time.monotonic(), image))

    def open(self) -> None:
        self._check_cancelled()

    def read(self, timeout_ms: int = 1000) -> Frame:
        try:
            captured_at, image = self._film.get(timeout=timeout_ms / 1000)
        except queue.Empty as error:
            raise CameraTimeout("nothing filmed") from error
        self._cancelled.wait(max(0.0, captured_at + self._delay_s - time.monotonic()))
        self._check_cancelled()
        frame = Frame(image, self._next_id, captured_at)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._cancelled.clear()


@pytest.mark.parametrize("delay_s", [0.02, 0.12, 0.9], ids=["20 ms", "120 ms", "longer than between two flashes"])
def test_a_known_delay_is_found_within_half_a_frame(delay_s: float, qtbot: QtBot) -> None:
    window = LatencyWindow()
    qtbot.addWidget(window)
    try:
        delays = window.measure(lambda: FilmingCamera(window, delay_s), duration_s=6)
    finally:
        window.close_down()
    assert len(delays) >= 8
    driver = np.median([delay.driver_ms for delay in delays])
    assert driver == pytest.approx(delay_s * 1e3, abs=PERIOD_S * 1e3 / 2)
    # A flash falls anywhere between two exposures: on average half a frame goes by until it is filmed.
    screen = np.median([delay.screen_ms for delay in delays])
    assert screen == pytest.approx(PERIOD_S * 1e3 / 2, abs=PERIOD_S * 1e3 / 2)
    total = np.median([delay.total_ms for delay in delays])
    assert total == pytest.approx(delay_s * 1e3 + PERIOD_S * 1e3 / 2 + np.median(
        [delay.program_ms for delay in delays]), abs=PERIOD_S * 1e3 / 2)  # fmt: skip


def test_a_camera_that_looks_elsewhere(qtbot: QtBot) -> None:
    window = LatencyWindow()
    qtbot.addWidget(window)
    try:
        with pytest.raises(CameraError, match="point it at the square"):
            window.measure(lambda: FilmingCamera(window, 0.02, dim=0.0), duration_s=2)
    finally:
        window.close_down()


def filmed(lag_s: float, count: int = 30, lost: int = 0, flicker: float = 0.0) -> tuple[list[Toggle], list[Sight]]:
    """Toggles, and what a 30 fps camera with `lag_s` of delay saw of them."""
    pauses, at, lit, toggles = intervals(), 1.0, False, []
    for _ in range(count):
        at, lit = at + next(pauses), not lit
        toggles.append(Toggle(at, lit))
    noise = np.random.default_rng(0)
    sights = []
    for i in range(round((at + lag_s + 1) / PERIOD_S)):
        exposed = i * PERIOD_S
        state = [toggle.lit for toggle in toggles if toggle.at <= exposed]
        value = (200.0 if state and state[-1] else 40.0) + noise.normal(0, flicker)
        if lost and i % lost == 0:
            continue
        sights.append(Sight(value, exposed, exposed + lag_s * 0.8, exposed + lag_s))
    return toggles, sights


@pytest.mark.parametrize("lag_s", [0.03, 0.1, 0.5, 1.3, 2.5])
@pytest.mark.parametrize(("lost", "flicker"), [(0, 0.0), (5, 0.0), (0, 15.0)], ids=["clean", "lossy", "noisy"])
def test_matching(lag_s: float, lost: int, flicker: float) -> None:
    delays = match(*filmed(lag_s, lost=lost, flicker=flicker))
    assert len(delays) >= 25
    total = np.median([delay.total_ms for delay in delays])
    assert total == pytest.approx(lag_s * 1e3 + PERIOD_S * 1e3 / 2, abs=PERIOD_S * 1e3 / 2)
    assert np.median([delay.driver_ms for delay in delays]) == pytest.approx(lag_s * 800, abs=1)


def test_what_cannot_be_matched() -> None:
    toggles, sights = filmed(0.1)
    with pytest.raises(CameraError):
        match(toggles, [])
    with pytest.raises(CameraError):
        match(toggles[:2], sights)
    still = [Sight(100.0, sight.captured_at, sight.arrived_at, sight.painted_at) for sight in sights]
    with pytest.raises(CameraError, match="no flashing"):
        match(toggles, still)


def test_the_report() -> None:
    delays = [Delay(10.0 + i, 40.0, 5.0) for i in range(11)]
    lines = as_text(delays).splitlines()
    assert lines[0] == "11 flashes"
    assert lines[-1].split() == ["in", "all", "60.0", "55.5", "64.5"]
    data = json.loads(as_json(delays))
    assert (data["flashes"], data["total"]["median_ms"], data["driver"]["p95_ms"]) == (11, 60.0, 40.0)


def test_a_wrong_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["latency", "/no/such/file.mp4", "--platform", "offscreen"]) == 3
    assert "edgecam:" in capsys.readouterr().err
