"""The processor's temperature and clock, as the kernel's files tell them (Linux), else as psutil knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

SYSFS: Final = Path("/sys")

# The sensor that stands for the processor, by the names kernels give it; the first one present counts.
_CPU_SENSORS: Final = (
    "cpu_thermal", "cpu-thermal", "coretemp", "k10temp", "x86_pkg_temp", "soc_thermal", "soc-thermal", "zenpower",
    "acpitz",
)  # fmt: skip


def cpu_temperature(sysfs: Path = SYSFS) -> float | None:
    """The processor's temperature in °C; None where the machine does not tell."""
    found: dict[str, Path] = {}
    for sensor in sorted((sysfs / "class" / "hwmon").glob("hwmon*")):
        inputs = sorted(sensor.glob("temp*_input"))
        if inputs:
            found.setdefault(_text(sensor / "name"), inputs[0])
    for zone in sorted((sysfs / "class" / "thermal").glob("thermal_zone*")):
        found.setdefault(_text(zone / "type"), zone / "temp")
    for name in _CPU_SENSORS:
        if name in found and (millidegrees := _number(found[name])) is not None:
            return millidegrees / 1000
    return None


def cpu_clock_mhz(sysfs: Path = SYSFS) -> float | None:
    """The clock of the processor's cores now, their mean; None where the machine does not tell."""
    clocks: list[float] = []
    for policy in (sysfs / "devices" / "system" / "cpu" / "cpufreq").glob("policy*"):
        if (kilohertz := _number(policy / "scaling_cur_freq")) is not None:
            # Cores with one clock between them share a policy.
            clocks += [kilohertz / 1000] * max(1, len(_text(policy / "affected_cpus").split()))
    if clocks:
        return sum(clocks) / len(clocks)
    return _clock_by_psutil() if sysfs == SYSFS else None


def _clock_by_psutil() -> float | None:
    try:
        frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    except (OSError, NotImplementedError, RuntimeError):
        return None
    return float(frequency.current) if frequency is not None and frequency.current else None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return None
