"""Notices cameras that come and go: by the kernel's messages where they can be heard, and by a look now and then."""

from __future__ import annotations

import logging
import os
import select
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgecam.camera.discovery import list_cameras
from edgecam.camera.v4l2_nodes import DEV, SYSFS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.camera.info import CameraInfo

log = logging.getLogger(__name__)

POLL_S: Final = 2.0
# A camera has several nodes, and udev still sets their rights and links when the first message comes.
_SETTLE_S: Final = 0.15
_UDEV_CONTROL: Final = Path("/run/udev/control")


class CameraWatcher:
    """Calls `on_change` with the list of cameras at the start and whenever it changes.

    Args:
        on_change: called in the watcher's own thread.
        poll_s: how often it looks of its own accord; the only way where there is no udev (in a container, say).
        look: what lists the cameras.
        snapshot: something cheap that differs when a camera came or went.
        listen: opens a monitor of the kernel's messages; None where there is none.
    """

    def __init__(
        self,
        on_change: Callable[[Sequence[CameraInfo]], None],
        *,
        poll_s: float = POLL_S,
        look: Callable[[], Sequence[CameraInfo]] = list_cameras,
        snapshot: Callable[[], object] | None = None,
        listen: Callable[[], Any] | None = None,
    ) -> None:
        self._on_change, self._poll_s, self._look = on_change, poll_s, look
        self._snapshot = snapshot or device_snapshot
        self._listen = listen or udev_monitor
        self._stopped = threading.Event()
        self._wake_r, self._wake_w = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="camera watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it, briefly."""
        self._stopped.set()
        with suppress(OSError):
            self._wake_w.send(b"x")
        if self._thread.is_alive():
            self._thread.join(2)
        self._wake_r.close()
        self._wake_w.close()

    def _run(self) -> None:
        if sys.platform != "linux":
            self._tell()  # asking again there would open every camera
            return
        monitor = self._listen()
        seen = self._snapshot()
        self._tell()
        while not self._stopped.is_set():
            self._wait(monitor)
            now = self._snapshot()
            if now == seen or self._stopped.is_set():
                continue
            self._stopped.wait(_SETTLE_S)
            _drain(monitor)
            seen = self._snapshot()
            self._tell()

    def _wait(self, monitor: Any) -> None:
        """Until the kernel says something, it is time to look, or the watcher is stopped."""
        sources = [self._wake_r] if monitor is None else [self._wake_r, monitor.fileno()]
        ready = select.select(sources, [], [], self._poll_s)[0]
        if monitor is not None and monitor.fileno() in ready:
            _drain(monitor)

    def _tell(self) -> None:
        try:
            self._on_change(self._look())
        except Exception:
            log.exception("Looking for cameras failed")


def _drain(monitor: Any) -> None:
    while monitor is not None and monitor.poll(timeout=0) is not None:
        pass


def udev_monitor() -> Any:
    """A started pyudev monitor of video devices; None where this system has none."""
    try:
        import pyudev
    except ImportError:
        return None
    # udev repeats the kernel's messages once it has set rights and links; without it the kernel's own must do.
    source = "udev" if _UDEV_CONTROL.exists() else "kernel"
    try:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source)
        monitor.filter_by("video4linux")
        monitor.start()
    except (OSError, ImportError) as error:
        log.info("Cameras are looked for every %g s: no messages of the kernel (%s)", POLL_S, error)
        return None
    return monitor


def device_snapshot(sysfs: Path = SYSFS, dev: Path = DEV) -> object:
    """Names, rights and birth of every video node, and the links to them: a few system calls."""
    nodes = []
    with suppress(OSError):
        for name in sorted(os.listdir(sysfs)):
            try:
                status = (dev / name).stat()
            except OSError:
                nodes.append((name, 0, 0, 0, 0))
            else:
                nodes.append((name, status.st_ino, status.st_mode, status.st_gid, status.st_ctime_ns))
    links = []
    for folder in ("by-id", "by-path"):
        with suppress(OSError):
            links += sorted(os.listdir(dev / "v4l" / folder))
    return nodes, links
