"""What a user is told when the kernel refuses a camera: who holds it, which group is missing, what to do."""

from __future__ import annotations

import errno
import grp
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgecam.errors import CameraBusy, CameraDenied, CameraError, CameraLost

if TYPE_CHECKING:
    from collections.abc import Iterable

GONE: Final = frozenset({errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESHUTDOWN})
_NAMED_HOLDERS: Final = 3


def camera_error(error: OSError, name: str, path: str) -> CameraError:
    """The error to raise when opening the camera `name` at the node `path` failed with `error`."""
    where = f"{name} ({path})" if name != path else path
    if error.errno in (errno.EACCES, errno.EPERM):
        return CameraDenied(f"No permission to use {where}: {missing_permission(path)}")
    if error.errno == errno.EBUSY:
        return CameraBusy(f"{where} is in use by {holders_text(path)}. Close it there, then try again.")
    if error.errno in GONE:
        return CameraLost(f"{where} is no longer connected.")
    if error.errno == errno.ENOSPC:
        return CameraError(
            f"The USB bus has no room left for {where}: choose a smaller size or MJPG, or plug it into another port."
        )
    if error.errno in (errno.EINVAL, errno.ENOTTY):
        return CameraError(f"{where} is not a camera that can be read.")
    return CameraError(f"{where} cannot be used: {error.strerror or error}. Unplugging it and plugging it in may help.")


def missing_permission(path: str) -> str:
    """Which group owns the node, and the command that lets this user in."""
    try:
        group = grp.getgrgid(os.stat(path).st_gid)
        user = pwd.getpwuid(os.getuid()).pw_name
    except (OSError, KeyError):
        return "ask the administrator of this machine."
    if group.gr_gid in {*os.getgroups(), os.getgid()} or group.gr_name == "root":
        return f"its access rights do not allow it (ls -l {path})."
    if user in group.gr_mem:
        return f"you were added to the group “{group.gr_name}”, which counts once you log out and in again."
    return (
        f"your user is not in the group “{group.gr_name}”. Run: sudo usermod -aG {group.gr_name} {user}"
        " — then log out and in again."
    )


def holders_text(path: str, proc: Path = Path("/proc")) -> str:
    """The programs that have the node open: "cheese (process 1234)"."""
    named = [f"{program} (process {pid})" for pid, program in holders(path, proc)]
    if not named:
        return "another program, which only the administrator can see"
    return " and ".join(named[:_NAMED_HOLDERS])


def holders(path: str, proc: Path = Path("/proc")) -> list[tuple[int, str]]:
    """Process id and program of each process that has the node open, as far as this user may see."""
    real = os.path.realpath(path)
    found = []
    for process in sorted((entry for entry in proc.iterdir() if entry.name.isdecimal()), key=lambda e: int(e.name)):
        if any(target == real for target in _open_files(process)):
            try:
                program = (process / "comm").read_text().strip()
            except OSError:
                continue
            found.append((int(process.name), program))
    return found


def _open_files(process: Path) -> Iterable[str]:
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            yield os.readlink(descriptor)
        except OSError:
            continue
