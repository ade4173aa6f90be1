"""Qt without a screen: one line that says why, and no abort."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgecam.gui import no_screen

START = (
    "import sys; from edgecam.gui.application import make_application; make_application(['edgecam']); print('went on')"
)
LIBRARY_MISSING = [
    "From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform plugin.",
    'Could not load the Qt platform plugin "xcb" in "" even though it was found.',
    "This application failed to start because no Qt platform plugin could be initialized.",
]


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    command = [sys.executable, "-c", START]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 and Wayland")
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"DISPLAY": ":4321"}, "The display :4321 cannot be reached."),
        (
            {"WAYLAND_DISPLAY": "wayland-4321", "QT_QPA_PLATFORM": "wayland", "XDG_RUNTIME_DIR": "/tmp"},
            "The display wayland-4321 cannot be reached.",
        ),
        ({"QT_QPA_PLATFORM": "unheard"}, 'Could not find the Qt platform plugin "unheard"'),
    ],
)
def test_a_screen_that_is_not_there_is_told_in_one_line(variables: dict[str, str], words: str) -> None:
    done = start(**variables)
    assert done.returncode == no_screen.EXIT_CODE
    assert done.stderr.startswith("edgecam: ")
    assert words in done.stderr
    assert "edgecam run SOURCE --headless" in done.stderr
    assert "went on" not in done.stdout
    if "unheard" not in words:
        assert done.stderr.count("\n") == 1


def test_with_a_screen_nothing_is_said() -> None:
    done = start(QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0
    assert done.stdout == "went on\n"
    assert "edgecam:" not in done.stderr


def test_a_missing_library_names_its_package() -> None:
    assert "sudo apt install libxcb-cursor0" in no_screen.reason(LIBRARY_MISSING)


def test_an_unreachable_display_is_not_taken_for_a_missing_library() -> None:
    """Qt then says both."""
    text = no_screen.reason(["could not connect to display :7", *LIBRARY_MISSING])
    assert "display :7" in text
    assert "libxcb-cursor0" not in text
