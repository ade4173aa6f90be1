"""`edgecam cameras`: which cameras are connected, what they offer, and what was opened before."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from edgecam.errors import CameraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from edgecam.camera.base import CameraMode
    from edgecam.camera.info import CameraInfo

NAME = "cameras"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="list the connected cameras, and what was opened before")
    parser.add_argument("--modes", action="store_true", help="with every format, size and rate that each one offers")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from edgecam.camera.discovery import list_cameras
    from edgecam.camera.recent import recent_sources
    from edgecam.settings import SettingsStore, default_path

    cameras = list_cameras()
    recent = recent_sources(SettingsStore(default_path()).load().recent)
    if args.json:
        facts = [_as_json(camera, with_modes=args.modes) for camera in (*cameras, *recent)]
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    if not cameras:
        print("No camera is connected. `edgecam demo` shows edgecam without one.", file=sys.stderr)
    for camera in cameras:
        _print(camera, with_modes=args.modes)
    if recent:
        print("Opened before")
    for source in recent:
        print(f"  {source.address}")
        if source.unusable:
            print(f"    problem  {source.unusable}")
    return 0


def _as_json(camera: CameraInfo, *, with_modes: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": camera.name,
        "address": camera.address,
        "device": camera.device or None,
        "bus": camera.bus,
        "kind": camera.kind.value,
        "unusable": camera.unusable or None,
    }
    if with_modes:
        modes, fault = _modes(camera)
        facts["modes"] = [
            {"format": mode.pixel_format, "width": mode.width, "height": mode.height, "fps": mode.fps} for mode in modes
        ]
        facts["unusable"] = facts["unusable"] or fault or None
    return facts


def _print(camera: CameraInfo, *, with_modes: bool) -> None:
    print(camera.name)
    print(f"  address  {camera.address}")
    where = f"{camera.device} ({camera.bus})" if camera.device and camera.bus else camera.device or camera.bus
    if where:
        print(f"  device   {where}")
    modes, fault = _modes(camera) if with_modes and not camera.unusable else ([], "")
    for line in _mode_lines(modes):
        print(f"  mode     {line}")
    if camera.unusable or fault:
        print(f"  problem  {camera.unusable or fault}")


def _modes(camera: CameraInfo) -> tuple[list[CameraMode], str]:
    """The modes, and why they cannot be told ("" where they can)."""
    from edgecam.camera.discovery import offered_modes

    if camera.unusable:
        return [], camera.unusable
    try:
        return offered_modes(camera), ""
    except CameraError as error:
        return [], str(error)


def _mode_lines(modes: Iterable[CameraMode]) -> list[str]:
    """One line for each format and size, with all its rates."""
    rates: dict[tuple[str, int, int], list[str]] = {}
    for mode in modes:
        found = rates.setdefault((mode.pixel_format, mode.width, mode.height), [])
        if mode.fps:
            found.append(f"{mode.fps:g}")
    return [
        f"{name} {width} × {height}" + (f" at {', '.join(fps)} fps" if fps else "")
        for (name, width, height), fps in rates.items()
    ]
