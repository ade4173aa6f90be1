"""Each problem with Qt and the display, provoked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from edgecam.doctor import qt
from edgecam.doctor.finding import Verdict

if TYPE_CHECKING:
    from pathlib import Path

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM

LDD = """\tlinux-vdso.so.1 (0x00007ffd)
\tlibxcb-cursor.so.0 => not found
\tlibxkbcommon-x11.so.0 => not found
\tlibfoo.so.7 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    for name in ("libqxcb.so", "libqoffscreen.so", "libqwayland-generic.so"):
        (tmp_path / name).touch()
    return tmp_path


def test_missing_libraries_are_named_with_their_package(plugins: Path) -> None:
    finding = qt.check_platform_plugin("xcb", plugins, lambda _: LDD)
    assert finding.verdict is PROBLEM
    assert "libxcb-cursor.so.0" in finding.text
    assert finding.remedy.startswith("sudo apt install libxcb-cursor0 libxkbcommon-x11-0")
    assert "libfoo.so.7" in finding.remedy


def test_a_plugin_that_has_everything(plugins: Path) -> None:
    for plugin in ("xcb", "wayland", "offscreen"):
        assert qt.check_platform_plugin(plugin, plugins, lambda _: "\tlibc.so.6 => /lib/libc.so.6").verdict is OK


def test_a_platform_that_does_not_exist(plugins: Path) -> None:
    finding = qt.check_platform_plugin("eglfs", plugins, lambda _: "")
    assert finding.verdict is PROBLEM
    assert "offscreen" in finding.text


def test_libraries_that_cannot_be_listed(plugins: Path) -> None:
    def fail(_: Path) -> str:
        raise OSError("no ldd")

    assert qt.check_platform_plugin("xcb", plugins, fail).verdict is WARNING


def test_the_plugins_of_this_machine_are_found() -> None:
    folder = qt.platform_folder()
    if folder is None:
        pytest.skip("PySide6 comes from the system here")
    assert qt.check_platform_plugin("offscreen", folder).verdict in (OK, PROBLEM)
    assert qt.check_platform_plugin("xcb", None).verdict is OK


@pytest.mark.parametrize(
    ("environment", "plugin"),
    [({}, "xcb"), ({"DISPLAY": ":0"}, "xcb"), ({"WAYLAND_DISPLAY": "wayland-0"}, "wayland"),
     ({"QT_QPA_PLATFORM": "offscreen"}, "offscreen"), ({"QT_QPA_PLATFORM": "wayland;xcb"}, "wayland"),
     ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, "vnc")],
)  # fmt: skip
def test_which_platform_qt_will_take(environment: dict[str, str], plugin: str) -> None:
    assert qt.wanted_plugin(environment) == plugin


def test_variables_that_point_into_opencv() -> None:
    path = os.sep.join(["", "venv", "cv2", "qt", "plugins"])
    finding = qt.check_plugin_paths({"QT_QPA_PLATFORM_PLUGIN_PATH": path})
    assert finding.verdict is WARNING
    assert finding.remedy == "unset QT_QPA_PLATFORM_PLUGIN_PATH"
    assert qt.check_plugin_paths({"QT_PLUGIN_PATH": "/usr/lib/qt6"}).verdict is OK


@pytest.mark.parametrize(
    ("environment", "verdict", "words"),
    [
        ({}, WARNING, "--headless"),
        ({"DISPLAY": ":0"}, OK, "X11"),
        ({"DISPLAY": ":7"}, PROBLEM, "no X server"),
        ({"DISPLAY": "host:10.0"}, OK, "network"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, OK, "Wayland"),
        ({"WAYLAND_DISPLAY": "wayland-9"}, PROBLEM, "there is no"),
        ({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"}, WARNING, "not shown"),
    ],
)
def test_display(environment: dict[str, str], verdict: Verdict, words: str, tmp_path: Path) -> None:
    (tmp_path / "X0").touch()
    (tmp_path / "wayland-0").touch()
    finding = qt.check_display({"XDG_RUNTIME_DIR": str(tmp_path), **environment}, tmp_path, linux=True)
    assert finding.verdict is verdict
    assert words in f"{finding.text} {finding.remedy}"


def test_other_systems_always_have_a_display() -> None:
    assert qt.check_display({}, linux=False).verdict is OK
