"""What machine and which versions a measurement was made with: without it a number says little."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil

from edgecam import __version__
from edgecam.versions import PARTS, installed_version


def describe_machine() -> dict[str, Any]:
    """Facts about processor, memory, system and versions, for a report; takes some milliseconds."""
    return {
        "edgecam": __version__,
        "processor": processor_name(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {part: version for part in PARTS if (version := installed_version(part))},
        # More than about 0.2 per core at the start means that something else was running, too.
        "load_average": round(psutil.getloadavg()[0], 2),
    }


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name(proc: Path = Path("/proc"), device_tree: Path = Path("/proc/device-tree")) -> str:
    """The board's name where it has one (Raspberry Pi), else the processor's."""
    try:
        return (device_tree / "model").read_text(errors="replace").strip("\0 \n")
    except OSError:
        pass
    try:
        lines = (proc / "cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
