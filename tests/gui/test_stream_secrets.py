"""The window plays a stream that wants a password: the picture is there, and the password nowhere to be read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication

from tests.camera.mjpeg_server import MjpegServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowMaker

SECRET = "s3cret"
TEXTS = ("text", "title", "windowTitle", "toolTip", "statusTip", "whatsThis", "accessibleName", "accessibleDescription")


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    server = MjpegServer()
    server.behaviour.login = ("me", SECRET)
    yield server
    server.stop()


def all_texts() -> str:
    """Whatever the program shows, or would show under the mouse or read aloud."""
    things = [*QApplication.allWidgets(), *(action for w in QApplication.allWidgets() for action in w.actions())]
    texts = []
    for thing in things:
        texts += [str(thing.property(name)) for name in TEXTS]
    return "\n".join(texts)


def test_a_password_is_used_and_never_shown_or_kept(
    server: MjpegServer, make_window: WindowMaker, qtbot: QtBot, own_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = f"http://me:{SECRET}@127.0.0.1:{server.port}/video?user=me&pwd={SECRET}"
    window = make_window(address)
    qtbot.waitUntil(lambda: "127.0.0.1" in window.windowTitle() + all_texts(), timeout=10_000)
    qtbot.waitUntil(lambda: any(SECRET in request for request in server.behaviour.requests), timeout=5000)
    qtbot.waitUntil(lambda: "127.0.0.1" in stored(own_home), timeout=5000)
    assert SECRET not in all_texts() + stored(own_home) + caplog.text
    server.stop()
    qtbot.waitUntil(lambda: "stopped answering" in all_texts() and "connection refused" in caplog.text, timeout=10_000)
    assert SECRET not in all_texts() + stored(own_home) + caplog.text


def stored(home: Path) -> str:
    files = [path for path in home.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)
