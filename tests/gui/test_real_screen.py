"""The program as a user starts it, on a real X server, with a real mouse and a real keyboard."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NEEDED = ("Xvfb", "xdotool")
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDED)), reason=f"needs the Debian packages {' and '.join(NEEDED).lower()}"
)
WIDTH, HEIGHT = 1280, 800


def wait_for(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)


class Screen:
    """An X server of our own; without -noreset it starts anew, deaf meanwhile, whenever its last client leaves."""

    def __init__(self) -> None:
        read_end, write_end = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
             "-nolisten", "tcp", "-noreset"],
            pass_fds=[write_end], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write_end)
        with os.fdopen(read_end) as numbers:
            self.display = f":{numbers.readline().strip()}"

    def do(self, *words: str) -> str:
        """Runs xdotool."""
        done = subprocess.run(
            ["xdotool", *words], env={**os.environ, "DISPLAY": self.display}, capture_output=True, text=True,
            timeout=20, check=False,
        )  # fmt: skip
        return done.stdout

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(10)


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


def start(screen: Screen, *args: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DISPLAY": screen.display, "QT_QPA_PLATFORM": "xcb", "PYTHONFAULTHANDLER": "1"}
    environment.pop("WAYLAND_DISPLAY", None)
    return subprocess.Popen(
        [sys.executable, "-m", "edgecam", *args], env=environment, stderr=subprocess.PIPE, text=True
    )


def put_away(app: subprocess.Popen[str]) -> str:
    """Ends it where it has not ended; what it said, then with what each of its threads was at, is shown on failure."""
    if app.poll() is None:
        app.send_signal(signal.SIGABRT)
    _, errors = app.communicate(timeout=10)
    print(errors, file=sys.stderr)
    return errors


def test_mouse_and_keyboard(screen: Screen, own_home: Path) -> None:
    app = start(screen, "demo")
    try:
        wait_for(lambda: "edgecam" in screen.do("search", "--onlyvisible", "--name", "Demo – edgecam", "getwindowname"))
        window = screen.do("search", "--onlyvisible", "--name", "Demo – edgecam").split()[0]
        screen.do("windowmove", window, "0", "0", "windowfocus", "--sync", window)
        pictures = own_home / "Pictures"
        settings = own_home / "config" / "edgecam" / "settings.json"

        def snapshots() -> int:
            return len(list(pictures.rglob("*.jpg")))

        def click_snapshot() -> None:
            screen.do("mousemove", str(WIDTH - 176), "28", "click", "1")
            time.sleep(0.3)

        wait_for(lambda: click_snapshot() or snapshots())  # before the first picture there is nothing to save
        time.sleep(1.1)
        before = snapshots()
        screen.do("key", "s")
        wait_for(lambda: snapshots() > before)

        # The confidence slider: dragged to its right end.
        wait_for(lambda: settings.exists())
        screen.do("mousemove", str(WIDTH - 192), "124", "mousedown", "1", "mousemove", str(WIDTH - 20), "124",
                  "mouseup", "1")  # fmt: skip
        wait_for(lambda: (json.loads(settings.read_text()).get("score") or 0) > 0.8)

        screen.do("key", "p")
        wait_for(lambda: json.loads(settings.read_text())["panel"] is False)

        asked = time.monotonic()
        screen.do("key", "ctrl+q")
        assert app.wait(10) == 0
        assert time.monotonic() - asked < 3
    finally:
        errors = put_away(app)
    assert errors == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_window_also_while_a_stream_never_answers(screen: Screen, number: signal.Signals) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        app = start(screen, f"rtsp://127.0.0.1:{port}/cam")
        try:
            wait_for(lambda: "edgecam" in screen.do("search", "--onlyvisible", "--name", "edgecam", "getwindowname"))
            time.sleep(1)
            asked = time.monotonic()
            app.send_signal(number)
            assert app.wait(10) == 0
            assert time.monotonic() - asked < 2
        finally:
            put_away(app)


@pytest.mark.parametrize("wait_s", [0.0, 0.2, 0.5])
def test_leaving_right_after_the_start_is_clean(screen: Screen, wait_s: float) -> None:
    """The model is still loading, the camera opening: threads in C++ code must not be torn down by Python."""
    app = start(screen, "demo")
    try:
        wait_for(lambda: "edgecam" in screen.do("search", "--onlyvisible", "--name", "edgecam", "getwindowname"))
        time.sleep(wait_s)
        app.send_signal(signal.SIGTERM)
        assert app.wait(10) == 0
    finally:
        errors = put_away(app)
    assert errors == ""


HANGS = """
import ctypes, sys, time
from edgecam.cli import main
from edgecam.gui import application
from edgecam.gui.models import control
control.load_detector = lambda *_, **__: ctypes.CDLL(None).sleep(60)
spare = application.spare_collector
application.spare_collector = lambda: (spare(), print("ready", flush=True))
sys.exit(main(["demo"]))
"""


def test_leaving_does_not_wait_for_a_model_that_hangs_while_it_loads(own_home: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", HANGS]
    app = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert app.stdout is not None
        assert app.stdout.readline() == "ready\n"
        time.sleep(0.5)
        asked = time.monotonic()
        app.send_signal(signal.SIGTERM)
        assert app.wait(10) == 0
        assert time.monotonic() - asked < 2.5
    finally:
        errors = put_away(app)
    assert errors == ""


SLOW_CARD = """
import sys, time
from PySide6.QtCore import QTimer
from edgecam.cli import main
from edgecam.gui import application
from edgecam.gui.picture import snapshots
write = snapshots._write
snapshots._write = lambda *args: (time.sleep(1), write(*args))
class Window(application.MainWindow):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.timer = QTimer(self, interval=20)
        self.timer.timeout.connect(self.look)
        self.timer.start()
    def look(self):
        if self.view.frame is not None:
            self.timer.stop()
            self.take_snapshot()
            self.close()
application.MainWindow = Window
sys.exit(main(["demo", "--model", "none"]))
"""


def test_a_snapshot_that_is_being_written_when_the_window_closes_is_not_lost(own_home: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    app = subprocess.run(
        [sys.executable, "-c", SLOW_CARD], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (app.returncode, app.stderr) == (0, "")
    (picture,) = (own_home / "Pictures").rglob("*.jpg")
    assert picture.read_bytes().endswith(b"\xff\xd9")  # whole
