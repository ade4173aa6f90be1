"""What a Raspberry Pi's firmware says about its power and heat, in words."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgecam.child_processes import clean_environment

SYSFS: Final = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")

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


def read_throttling(sysfs: Path = SYSFS, program: str = "vcgencmd") -> Throttling | None:
    """The present flags, from the kernel where it has them, else from `vcgencmd`; None on other machines."""
    try:
        return Throttling(int(sysfs.read_text(), 16))
    except (OSError, ValueError):
        pass
    try:
        answer = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=2, check=True, env=clean_environment()
        ).stdout
        return Throttling(int(answer.strip().partition("=")[2], 16))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
