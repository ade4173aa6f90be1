"""What a Raspberry Pi's firmware says about its power and heat, in words."""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgecam.child_processes import clean_environment

SYSFS: Final = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
PROGRAM: Final = "vcgencmd"

# Bits of `vcgencmd get_throttled` that tell the present, and, 16 higher, what has been since the start.
_NOW: Final = {
    0: "under-voltage: the power supply is too weak",
    1: "the processor's clock is capped",
    2: "throttled: the processor runs slower than it could",
    3: "the temperature limit is reached",
}
_BEFORE: Final = {
    0: "under-voltage",
    1: "a capped clock",
    2: "throttling",
    3: "the temperature limit",
}


@dataclass(frozen=True, slots=True)
class Throttling:
    """The firmware's flags (see `vcgencmd get_throttled`)."""

    flags: int

    @property
    def now(self) -> tuple[str, ...]:
        """What holds the board back at this moment; empty when nothing does."""
        return tuple(words for bit, words in _NOW.items() if self.flags >> bit & 1)

    @property
    def before(self) -> tuple[str, ...]:
        """What has happened since the start of the board."""
        return tuple(words for bit, words in _BEFORE.items() if self.flags >> (16 + bit) & 1)


def read_throttling(sysfs: Path = SYSFS, program: str = PROGRAM) -> Throttling | None:
    """The present flags, from the kernel where it has them, else from `vcgencmd`; None on other machines.

    `vcgencmd` is waited for, up to five seconds: not for the window's thread.
    """
    return _from_kernel(sysfs) or _from_program(program)


class ThrottlingWatch:
    """The flags for who must not wait: `vcgencmd`, where it is needed, runs in a thread of its own."""

    def __init__(self, sysfs: Path = SYSFS, program: str = PROGRAM) -> None:
        self._sysfs, self._program = sysfs, program
        self._in_kernel = _from_kernel(sysfs) is not None
        self._has_program = not self._in_kernel and shutil.which(program) is not None
        self._reading: threading.Thread | None = None
        self._latest: Throttling | None = None

    def read(self) -> Throttling | None:
        """The present flags; from `vcgencmd` those of its last answer, and it is asked again. None until there is one.

        Returns at once.
        """
        if self._in_kernel:
            return _from_kernel(self._sysfs)
        if self._has_program and (self._reading is None or not self._reading.is_alive()):
            self._reading = threading.Thread(target=self._ask, name="throttling", daemon=True)
            self._reading.start()
        return self._latest

    def _ask(self) -> None:
        self._latest = _from_program(self._program)


def _from_kernel(sysfs: Path) -> Throttling | None:
    try:
        return Throttling(int(sysfs.read_text(), 16))
    except (OSError, ValueError):
        return None


def _from_program(program: str) -> Throttling | None:
    try:
        answer = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=5, check=True, env=clean_environment()
        ).stdout
        return Throttling(int(answer.strip().partition("=")[2], 16))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
