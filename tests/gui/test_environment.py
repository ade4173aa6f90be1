"""Before Qt starts: foreign plugins and a missing display."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError

import pytest

from edgecam.errors import UsageError
from edgecam.gui import environment


def test_what_opencv_python_sets_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", f"{os.sep}x{os.sep}cv2{os.sep}qt{os.sep}plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    monkeypatch.setattr(environment, "distribution", lambda name: name)
    message = environment.remove_foreign_plugins()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"  # the user's own stays
    assert "opencv-python-headless" in message


def test_without_it_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(environment, "distribution", missing)
    assert environment.remove_foreign_plugins() == ""


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_one_way_to_a_display_is_enough(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setattr(environment.sys, "platform", "linux")
    with pytest.raises(UsageError, match="--headless"):
        environment.require_display()
    monkeypatch.setenv(name, "x")
    environment.require_display()
