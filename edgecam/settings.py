"""What edgecam remembers from one start to the next."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from edgecam.stored_json import write_json

log = logging.getLogger(__name__)

THEMES = ("system", "dark", "light")


@dataclass(frozen=True, slots=True)
class Settings:
    """A user's choices; replaced whole (`dataclasses.replace`).

    Attributes:
        source: address of the camera, file or stream shown last, without a password; "" for none yet.
        model: name or file of the model used last; "" for the default one, "none" for none.
        score, iou: the sliders, 0 to 1; None for the model's own values.
        hidden_classes: labels that are not shown.
        theme: one of THEMES.
        panel: the side panel is open.
        boxes, figures: boxes and figures are drawn over the picture.
        performance: the side panel shows the figures of the whole way from the camera to the screen.
        realtime: files are played at their own rate; what comes late is skipped.
        repeat: files are played again and again.
        window_wh: the window's size in logical pixels.
        recent: files and streams opened before, the newest first.
    """

    source: str = ""
    model: str = ""
    score: float | None = None
    iou: float | None = None
    hidden_classes: tuple[str, ...] = ()
    theme: str = "system"
    panel: bool = True
    boxes: bool = True
    figures: bool = True
    performance: bool = False
    realtime: bool = False
    repeat: bool = False
    window_wh: tuple[int, int] = (1280, 800)
    recent: tuple[str, ...] = field(default=())


def default_path() -> Path:
    """The settings file in the user's configuration folder (XDG on Linux)."""
    return Path(platformdirs.user_config_dir("edgecam", False)) / "settings.json"


class SettingsStore:
    """Reads and writes settings; a file that is broken is set aside, never a reason not to start.

    Attributes:
        problem: what was wrong with the file at the last `load`, fit to be shown; "" if nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""

    def load(self) -> Settings:
        """The stored settings; what is missing or wrong has its default."""
        self.problem = ""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Settings()
        except (OSError, UnicodeDecodeError) as error:
            return self._start_afresh(str(error))
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            return self._start_afresh(str(error))
        if not isinstance(data, dict):
            return self._start_afresh("it holds no object")
        return _from_dict(data)

    def save(self, settings: Settings) -> None:
        """Writes the file whole or not at all. A full or read-only disk is logged: the program goes on."""
        try:
            write_json(self.path, asdict(settings))
        except OSError as error:
            log.warning("Settings were not saved to %s: %s", self.path, error)

    def _start_afresh(self, reason: str) -> Settings:
        aside = self.path.with_suffix(".broken.json")
        with contextlib.suppress(OSError):
            os.replace(self.path, aside)
        self.problem = f"The settings file could not be read ({reason}). Defaults are used; the old file is {aside}."
        log.warning("%s", self.problem)
        return Settings()


def _from_dict(data: dict[str, Any]) -> Settings:
    """Settings from JSON: each value is taken only if it is of the right kind and in range."""
    checks = {
        "source": _text,
        "model": _text,
        "score": _fraction,
        "iou": _fraction,
        "hidden_classes": _texts,
        "theme": lambda value: value if value in THEMES else None,
        "window_wh": _size,
        "recent": _texts,
    }
    kept: dict[str, Any] = {}
    for item in fields(Settings):
        if item.name in data:
            value = checks.get(item.name, _flag)(data[item.name])
            if value is not None:
                kept[item.name] = value
    return Settings(**kept)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _fraction(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _size(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(side, int) for side in value):
        return None
    return (value[0], value[1]) if all(200 <= side <= 20000 for side in value) else None
