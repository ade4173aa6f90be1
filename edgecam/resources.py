"""Where the bundled models and assets lie: in a checkout, an installed wheel or a frozen program."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    inside = _PACKAGE / name  # installed wheel, frozen program
    return inside if inside.is_dir() else _PACKAGE.parent / name  # checkout


def models_folder() -> Path:
    """The read-only folder of the models that come with edgecam."""
    return _folder("models")


def assets_folder() -> Path:
    """The read-only folder of the demo clip, icons and fonts."""
    return _folder("assets")


def demo_clip() -> Path:
    """The bundled demo clip."""
    return assets_folder() / "demo.mp4"
