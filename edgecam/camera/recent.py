"""What the user opened before, as it can be opened again: streams, videos, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.camera.address import PatternAddress, parse_address
from edgecam.camera.credentials import masked_url
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Iterable


def recent_sources(addresses: Iterable[str]) -> list[CameraInfo]:
    """Each address as a source, with what is wrong with it now; files are looked for, streams are not asked."""
    return [_source(address) for address in addresses]


def _source(address: str) -> CameraInfo:
    unusable, parsed = "", None
    try:
        parsed = parse_address(address)
    except CameraError as error:
        unusable = str(error)
    if isinstance(parsed, PatternAddress):
        return CameraInfo("Test pattern", address, "", "", CameraKind.VIRTUAL)
    if "://" not in address:
        return CameraInfo(Path(address).name, address, "", "", CameraKind.FILE, unusable)
    shown = masked_url(address)
    return CameraInfo(shown.partition("://")[2].rstrip("/"), shown, "", "", CameraKind.STREAM, unusable)
