"""The V4L2 nodes that are cameras: by name, with an id that stays the same over reboots and ports."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgecam.camera.info import CameraKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.v4l2_device import Identity

SYSFS: Final = Path("/sys/class/video4linux")
DEV: Final = Path("/dev")

# Drivers whose nodes are parts of a camera or codec pipeline; a Raspberry Pi has dozens of them.
_HIDDEN_DRIVERS: Final = (
    "bcm2835-isp", "bcm2835-codec", "rp1-cfe", "pispbe", "rpi-hevc-dec", "rpivid", "unicam", "hantro-vpu", "rkvdec",
    "cedrus", "mtk-vcodec", "mtk-jpeg", "rockchip-rga", "rkisp1", "sun6i-csi", "vim2m", "vicodec", "visl",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class V4l2Node:
    """A V4L2 device node that is a camera. `denied`: this user may not open it."""

    path: str
    name: str
    stable_id: str
    bus: str
    kind: CameraKind
    denied: bool = False

    @property
    def address(self) -> str:
        return self.stable_id if self.stable_id.startswith("/dev/") else f"v4l2:{self.stable_id}"


def find_node(device_id: str) -> V4l2Node | None:
    """The camera with the id `device_id` ("/dev/video0", a udev name or a bus name), None where it is not connected.

    A node that is asked for by its path is returned although it is no camera: opening it tells why.
    """
    path = _path_of(device_id)
    if path is None:
        return next((node for node in v4l2_nodes() if node.stable_id == device_id), None)
    known = next((node for node in v4l2_nodes(only=path) if node.path == path), None)
    return known or (_plain_node(path, path) if Path(path).exists() else None)


def locate(device_id: str) -> V4l2Node | None:
    """As `find_node`, without opening a device where that can be helped: quick, and good enough for a name."""
    path = _path_of(device_id)
    if path is None:
        return find_node(device_id)
    return _plain_node(path, device_id) if Path(path).exists() else None


def _path_of(device_id: str) -> str | None:
    """The node that a path or a udev name means now; None where nothing but asking all cameras can tell."""
    if device_id.startswith("/dev/"):
        return device_id
    return next((path for path, names in _links(DEV).items() if device_id in names), None)


def _plain_node(path: str, device_id: str) -> V4l2Node:
    candidate = _Candidate(SYSFS / Path(path).name, DEV)
    return V4l2Node(path, candidate.name, device_id, candidate.bus, candidate.kind)


def v4l2_nodes(
    sysfs: Path = SYSFS,
    dev: Path = DEV,
    identify: Callable[[str], Identity] | None = None,
    only: str | None = None,
) -> list[V4l2Node]:
    """The V4L2 nodes that are cameras, in the order of their numbers.

    Args:
        sysfs, dev: where the kernel shows its devices.
        identify: asks a node what it is; raises OSError.
        only: look at the node of this path alone.
    """
    links = _links(dev)
    candidates = [_Candidate(entry, dev) for entry in sorted(sysfs.glob("video*"), key=_number)]
    shared = Counter(candidate.usb_identity for candidate in candidates if candidate.index == 0)
    nodes = []
    for candidate in candidates:
        if candidate.is_hidden or only not in (None, candidate.path):
            continue
        identity, denied = _identify(candidate, identify or _ask)
        if identity is None and not denied:
            continue
        # Two cameras of one model without serial numbers share one by-id link, which points to either.
        ambiguous = candidate.usb_identity is not None and shared[candidate.usb_identity] > 1
        stable_id = _stable_id(candidate, identity, links.get(candidate.path, ()), ambiguous)
        nodes.append(V4l2Node(candidate.path, candidate.name, stable_id, candidate.bus, candidate.kind, denied))
    return nodes


def _number(entry: Path) -> int:
    digits = entry.name.removeprefix("video")
    return int(digits) if digits.isdecimal() else 1 << 30


def _ask(path: str) -> Identity:
    from edgecam.camera.v4l2_device import V4l2Device

    device = V4l2Device(path)
    device.close()
    return device.identity


def _identify(candidate: _Candidate, identify: Callable[[str], Identity]) -> tuple[Identity | None, bool]:
    """What the node says (None where it is no camera), and whether it may not be asked."""
    try:
        identity = identify(candidate.path)
    except PermissionError:
        return None, candidate.index == 0
    except OSError:
        return None, False
    return (identity if identity.captures else None), False


def _stable_id(candidate: _Candidate, identity: Identity | None, names: tuple[str, ...], ambiguous: bool) -> str:
    by_id = [name for name in names if name.startswith("usb-")]
    by_path = [name for name in names if not name.startswith("usb-")]
    if by_id and not ambiguous:
        return by_id[0]
    if by_path:
        return by_path[0]
    if identity is not None and identity.bus_info and candidate.index == 0:
        return identity.bus_info
    return candidate.path


def _links(dev: Path) -> dict[str, tuple[str, ...]]:
    """The names below /dev/v4l/by-id and by-path of each node."""
    links: dict[str, tuple[str, ...]] = {}
    for folder in ("by-id", "by-path"):
        try:
            entries = sorted((dev / "v4l" / folder).iterdir())
        except OSError:
            continue
        for entry in entries:
            target = str(dev / os.path.basename(os.path.realpath(entry)))
            links[target] = (*links.get(target, ()), entry.name)
    return links


class _Candidate:
    """What sysfs tells of a node, without opening it."""

    def __init__(self, entry: Path, dev: Path) -> None:
        self.path = str(dev / entry.name)
        index = _read(entry / "index")
        self.index = int(index) if index.isdecimal() else 0
        self._card = _read(entry / "name")
        self._device = Path(os.path.realpath(entry / "device"))
        self._driver = os.path.basename(os.path.realpath(self._device / "driver"))
        self._usb = next((folder for folder in self._upwards() if (folder / "idVendor").is_file()), None)

    def _upwards(self) -> list[Path]:
        return [self._device, *self._device.parents][:4]

    @property
    def is_hidden(self) -> bool:
        return self._card.startswith(_HIDDEN_DRIVERS) or self._driver.startswith(_HIDDEN_DRIVERS)

    @property
    def name(self) -> str:
        product = _read(self._usb / "product") if self._usb is not None else ""
        return product or self._card or self.path

    @property
    def usb_identity(self) -> tuple[str, ...] | None:
        if self._usb is None:
            return None
        return tuple(_read(self._usb / name) for name in ("idVendor", "idProduct", "serial"))

    @property
    def kind(self) -> CameraKind:
        if self._usb is not None:
            return CameraKind.USB
        if self._driver == "vivid" or "/virtual/" in str(self._device):
            return CameraKind.VIRTUAL
        return CameraKind.PCI if (self._device / "vendor").is_file() else CameraKind.BOARD

    @property
    def bus(self) -> str:
        if self._usb is not None:
            return f"USB {self._usb.name}"
        return f"PCI {self._device.name}" if self.kind is CameraKind.PCI else self._device.name


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
