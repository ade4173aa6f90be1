"""What the user chose for each camera: mode, controls, how it hangs; remembered by its address."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs

from edgecam.camera.base import CameraMode
from edgecam.camera.orientation import ROTATIONS, Orientation
from edgecam.stored_json import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

_MAX_CAMERAS: Final = 50
_MAX_FIGURE: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """What was chosen for one camera.

    Attributes:
        mode: None for the default.
        settings: values of controls, by key.
        orientation: how the picture is turned.
    """

    mode: CameraMode | None = None
    settings: Mapping[str, int] = field(default_factory=dict)
    orientation: Orientation = field(default_factory=Orientation)


def default_path() -> Path:
    """The file in the user's configuration folder."""
    return Path(platformdirs.user_config_dir("edgecam", False)) / "cameras.json"


class CameraMemory:
    """Reads the file once; a broken file or entry is left out, never a reason to stop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._choices = _read(path)
        self._changed = False

    def choice(self, address: str) -> CameraChoice:
        """What was chosen for the camera at `address`; the defaults where nothing was."""
        return self._choices.get(address, CameraChoice())

    def put(self, address: str, choice: CameraChoice) -> None:
        """Remembers `choice`; the camera changed last is forgotten last."""
        if self.choice(address) == choice:
            return
        self._choices.pop(address, None)
        if choice != CameraChoice():
            self._choices[address] = choice
        for old in list(self._choices)[:-_MAX_CAMERAS]:
            del self._choices[old]
        self._changed = True

    def write(self) -> None:
        """Writes the file, whole or not at all, if anything was changed. A full disk is logged: the program goes on."""
        if not self._changed:
            return
        self._changed = False
        data = {
            address: {
                "mode": asdict(choice.mode) if choice.mode else None,
                "settings": dict(choice.settings),
                "orientation": asdict(choice.orientation),
            }
            for address, choice in self._choices.items()
        }
        try:
            write_json(self._path, data)
        except OSError as error:
            log.warning("What was chosen for the camera was not saved to %s: %s", self._path, error)


def _read(path: Path) -> dict[str, CameraChoice]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("What was chosen for cameras cannot be read from %s (%s); defaults are used", path, error)
        return {}
    if not isinstance(data, dict):
        return {}
    return {address: _choice(entry) for address, entry in data.items() if isinstance(entry, dict)}


def _choice(entry: Mapping[str, Any]) -> CameraChoice:
    settings = entry.get("settings")
    kept = {
        key: value
        for key, value in (settings.items() if isinstance(settings, dict) else ())
        if type(value) is int and -_MAX_FIGURE <= value < _MAX_FIGURE
    }
    return CameraChoice(_mode(entry.get("mode")), kept, _orientation(entry.get("orientation")))


def _mode(entry: object) -> CameraMode | None:
    if not isinstance(entry, dict):
        return None
    width, height, fps, name = (entry.get(key) for key in ("width", "height", "fps", "pixel_format"))
    if type(width) is not int or type(height) is not int or not isinstance(name, str):
        return None
    if fps is not None and (type(fps) not in (int, float) or not 0 < fps < 10_000):
        return None
    return CameraMode(width, height, fps, name)


def _orientation(entry: object) -> Orientation:
    if not isinstance(entry, dict) or entry.get("rotation") not in ROTATIONS:
        return Orientation()
    return Orientation(int(entry["rotation"]), entry.get("mirror") is True)
