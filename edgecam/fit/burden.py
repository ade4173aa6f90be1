"""Makes it hard for the program on purpose, to see what it does: busy processes, or less of the processor."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from edgecam.errors import EdgecamError

CGROUP = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
# Ends with its parent: its input is closed then.
_BUSY = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
while True:
    pass
"""


class BurdenFailed(EdgecamError):
    """This system does not allow the burden."""


class Burden(Protocol):
    """Lies on the program between `lay_on` and `take_off`; both may be called again and again."""

    name: str

    def lay_on(self) -> None: ...
    def take_off(self) -> None: ...


class BusyProcesses:
    """So many processes that do nothing but compute, at this process's own priority."""

    def __init__(self, count: int) -> None:
        self.name = f"{count} busy process{'' if count == 1 else 'es'}"
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def lay_on(self) -> None:
        if getattr(sys, "frozen", False):
            raise BurdenFailed("The bundle has no Python for busy processes: use --burden quota, or install edgecam.")
        while len(self._processes) < self._count:
            self._processes.append(subprocess.Popen([sys.executable, "-S", "-c", _BUSY], stdin=subprocess.PIPE))

    def take_off(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self._processes.clear()


class CpuQuota:
    """A control group that gives this process so much of one core and no more (Linux, as root).

    Args:
        percent: 100 = one core.
        root: where the control groups are mounted: version 2, or 1 with the folder "cpu".
        pid: of the process that is put into it.
    """

    def __init__(self, percent: float, root: Path = CGROUP, pid: int | None = None) -> None:
        self.name = f"at most {percent:.0f} % of a core"
        self._percent, self._pid = percent, os.getpid() if pid is None else pid
        self._is_v2 = (root / "cgroup.controllers").exists()
        self._root = root if self._is_v2 else root / "cpu"
        self._home = self._root / self._present(self._pid).lstrip("/")
        self._group = self._home / f"edgecam-{self._pid}"

    def lay_on(self) -> None:
        """Raises BurdenFailed where control groups cannot be made."""
        if self._group.exists():
            return
        quota_us = round(self._percent / 100 * PERIOD_US)
        try:
            if self._is_v2:
                with contextlib.suppress(OSError):  # it is on already, or the next line says what is wrong
                    (self._home / "cgroup.subtree_control").write_text("+cpu")
            self._group.mkdir()
            if self._is_v2:
                (self._group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
            else:
                (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (self._group / "cpu.cfs_quota_us").write_text(str(quota_us))
            (self._group / "cgroup.procs").write_text(str(self._pid))
        except OSError as error:
            self.take_off()
            raise BurdenFailed(
                f"{self._group}: no control group can be made here ({error.strerror}); as root it may, "
                "else use --burden busy."
            ) from error

    def take_off(self) -> None:
        if not self._group.exists():
            return
        with contextlib.suppress(OSError):
            (self._home / "cgroup.procs").write_text(str(self._pid))
        for _ in range(20):
            try:
                self._group.rmdir()
            except OSError:
                time.sleep(0.05)  # the kernel needs a moment to see that it is empty
            else:
                return

    def _present(self, pid: int) -> str:
        """The group in which the process is."""
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError:
            return "/"
        wanted = "" if self._is_v2 else "cpu"
        paths = [path for _, names, path in (line.split(":", 2) for line in lines) if wanted in names.split(",")]
        return paths[0] if paths else "/"
