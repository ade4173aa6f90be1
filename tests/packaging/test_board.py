"""`packaging/prove-board`: what it says before it boots anything, and how Xvfb's screen becomes a picture."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout without anything built."""
    shutil.copytree(PACKAGING, tmp_path / "project" / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


def prove(project: Path, *arguments: str, machine: str = "/bin/true") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "EDGECAM_BOARD_MACHINE": machine}
    command = [str(project / "packaging" / "prove-board"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)


def test_without_a_package_it_says_how_to_make_one(project: Path) -> None:
    done = prove(project)
    assert done.returncode == 1
    assert done.stderr == "edgecam: there is no ARM package: run packaging/build --arm64 first\n"


def test_a_package_that_is_not_there_is_not_another_one(project: Path) -> None:
    (project / "dist").mkdir()
    (project / "dist" / "edgecam_0.1.0_arm64.deb").touch()
    assert "there is no ARM package" in prove(project, "edgecam_0.2.0_arm64.deb").stderr


def test_without_an_emulator_it_names_the_variable(project: Path) -> None:
    (project / "dist").mkdir()
    (project / "dist" / "edgecam_0.1.0_arm64.deb").touch()
    done = prove(project, machine=str(project / "no-camera-vm"))
    assert done.returncode == 1
    assert "EDGECAM_BOARD_MACHINE" in done.stderr


def test_help_is_its_head(project: Path) -> None:
    done = prove(project, "--help")
    assert done.returncode == 2
    assert "packaging/prove-board [DEB] [CPU...]" in done.stderr
    assert not (project / "dist").exists()


def test_what_runs_on_the_board_is_whole_shell() -> None:
    subprocess.run(["bash", "-n", PACKAGING / "board" / "inside"], check=True)


@pytest.fixture
def png_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGING / "board"))
    from xwd import png_of

    return png_of


def dump(image: np.ndarray, *, colours: int = 2, padding: int = 8, bits_per_pixel: int = 32) -> bytes:
    """A screen of Xvfb: header with a name behind it, colour table, rows of blue, green, red, nothing."""
    height, width = image.shape[:2]
    name = b"screen\0\0"
    rows = np.zeros((height, 4 * width + padding), np.uint8)
    rows[:, : 4 * width] = np.dstack([image, np.zeros((height, width), np.uint8)]).reshape(height, -1)
    header = [100 + len(name), 7, 2, 24, width, height, 0, 0, 32, 0, 32, bits_per_pixel, rows.shape[1], 4]
    header += [0xFF0000, 0xFF00, 0xFF, 8, 256, colours, width, height, 0, 0, 0]
    return struct.pack(">25I", *header) + name + bytes(12 * colours) + rows.tobytes()


def test_a_screen_becomes_a_png_of_the_same_pixels(png_of: Any) -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    decoded = cv2.imdecode(np.frombuffer(png_of(dump(image)), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded, image)


def test_another_kind_of_screen_is_refused(png_of: Any) -> None:
    with pytest.raises(ValueError, match="32 bits a pixel"):
        png_of(dump(np.zeros((2, 2, 3), np.uint8), bits_per_pixel=16))
