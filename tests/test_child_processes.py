"""The environment of the programs that edgecam starts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from edgecam.child_processes import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this process look like the standalone program, with these variables."""

    def make(**variables: str) -> None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setattr(sys, "_MEIPASS", "/usr/lib/edgecam/_internal", raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return make


def test_the_bundles_library_path_is_taken_away(frozen: Callable[..., None]) -> None:
    frozen(LD_LIBRARY_PATH="/usr/lib/edgecam/_internal")
    assert "LD_LIBRARY_PATH" not in clean_environment()


def test_the_users_own_library_path_comes_back(frozen: Callable[..., None]) -> None:
    frozen(LD_LIBRARY_PATH="/usr/lib/edgecam/_internal:/opt/x", LD_LIBRARY_PATH_ORIG="/opt/x")
    environment = clean_environment()
    assert environment["LD_LIBRARY_PATH"] == "/opt/x"
    assert "LD_LIBRARY_PATH_ORIG" not in environment


def test_only_plugin_paths_into_the_bundle_go(frozen: Callable[..., None]) -> None:
    frozen(QT_PLUGIN_PATH="/usr/lib/edgecam/_internal/PySide6/Qt/plugins", QML2_IMPORT_PATH="/home/pi/qml")
    environment = clean_environment()
    assert "QT_PLUGIN_PATH" not in environment
    assert environment["QML2_IMPORT_PATH"] == "/home/pi/qml"


def test_in_plain_python_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/x")
    assert clean_environment()["LD_LIBRARY_PATH"] == "/opt/x"
