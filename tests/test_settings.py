"""Settings: what was written comes back; what is broken is set aside."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edgecam.settings import Settings, SettingsStore, default_path

if TYPE_CHECKING:
    from pathlib import Path


def test_round_trip(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "deep" / "settings.json")
    assert store.load() == Settings()
    settings = replace(
        Settings(), source="rtsp://cam/1", score=0.25, hidden_classes=("猫", "dog"), panel=False, window_wh=(800, 480),
        recent=("a.mp4",),
    )  # fmt: skip
    store.save(settings)
    assert store.load() == settings
    assert store.problem == ""
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "settings.json"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 1.5),
        ("score", "0.5"),
        ("score", True),
        ("iou", -0.1),
        ("iou", float("nan")),
        ("theme", "pink"),
        ("theme", ["dark"]),
        ("panel", "yes"),
        ("window_wh", [1, 1]),
        ("window_wh", [800]),
        ("window_wh", "800x480"),
        ("hidden_classes", "dog"),
        ("recent", [1, 2]),
        ("source", None),
        ("no_such_setting", 1),
    ],
)
def test_a_wrong_value_has_its_default_and_the_others_stay(tmp_path: Path, field: str, value: Any) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"model": "mine", field: value}), encoding="utf-8")
    store = SettingsStore(path)
    assert store.load() == replace(Settings(), model="mine")
    assert store.problem == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"null", b'"text"'])
def test_a_broken_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    store = SettingsStore(path)
    assert store.load() == Settings()
    assert "could not be read" in store.problem
    assert (tmp_path / "settings.broken.json").read_bytes() == content
    store.save(Settings(theme="dark"))
    assert store.load().theme == "dark"


def test_a_place_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    SettingsStore(tmp_path / "file" / "settings.json").save(Settings())


def test_the_default_place_is_the_users(own_home: Path) -> None:
    assert default_path().is_relative_to(own_home)
