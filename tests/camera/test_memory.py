"""What is remembered of each camera."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.memory import CameraChoice, CameraMemory
from edgecam.camera.orientation import Orientation

if TYPE_CHECKING:
    from pathlib import Path

CHOICE = CameraChoice(CameraMode(1280, 720, 30.0, "MJPG"), {"brightness": 12, "hue": -5}, Orientation(90, True))


def keep(path: Path, address: str) -> None:
    memory = CameraMemory(path)
    memory.put(address, CHOICE)
    memory.write()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "cameras.json"


def test_a_choice_survives(path: Path) -> None:
    keep(path, "v4l2:usb-Webcam-video-index0")
    memory = CameraMemory(path)
    assert memory.choice("v4l2:usb-Webcam-video-index0") == CHOICE
    assert memory.choice("v4l2:other") == CameraChoice()


def test_defaults_are_not_kept(path: Path) -> None:
    memory = CameraMemory(path)
    memory.put("a", CHOICE)
    memory.put("a", CameraChoice())
    memory.write()
    assert json.loads(path.read_text()) == {}


def test_the_oldest_is_forgotten_first(path: Path) -> None:
    memory = CameraMemory(path)
    for number in range(60):
        memory.put(str(number), CHOICE)
    assert memory.choice("9") == CameraChoice()
    assert memory.choice("10") == CHOICE


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"a": 5}', '{"a": {"mode": 1, "settings": [], "orientation": "x"}}',
     '{"a": {"mode": {"width": "1280", "height": 720, "fps": 30, "pixel_format": "MJPG"}}}',
     '{"a": {"mode": {"width": 1280, "height": 720, "fps": -1, "pixel_format": "MJPG"}}}',
     '{"a": {"settings": {"x": "1", "y": true, "z": 99999999999}, "orientation": {"rotation": 45}}}'],
)  # fmt: skip
def test_a_broken_file_or_entry_gives_defaults(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    memory = CameraMemory(path)
    assert memory.choice("a") == CameraChoice()
    memory.put("a", CHOICE)
    memory.write()
    assert CameraMemory(path).choice("a") == CHOICE


def test_a_file_that_cannot_be_written_is_no_failure(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.write_text("a file where the folder should be")
    keep(path, "a")
    assert "was not saved" in caplog.text


def test_nothing_changed_is_nothing_written(path: Path) -> None:
    memory = CameraMemory(path)
    memory.put("a", CameraChoice())
    memory.write()
    assert not path.exists()
