"""What the machine is doing: processor time and temperature."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

# The sensor that stands for the processor, by the names kernels give it; the first one present counts.
_CPU_SENSORS = ("cpu_thermal", "coretemp", "k10temp", "cpu-thermal", "soc_thermal", "zenpower", "acpitz")


@dataclass(frozen=True, slots=True)
class SystemLoad:
    """One reading.

    Attributes:
        cpu_percent: processor time of edgecam since the last reading, 100 = all cores.
        memory_mb: resident memory of edgecam in MB.
        temperature_c: the processor's temperature in °C; None where the machine does not tell.
    """

    cpu_percent: float
    memory_mb: float
    temperature_c: float | None


class LoadMeter:
    """Reads the load; each reading covers the time since the one before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cores = os.cpu_count() or 1
        self._process.cpu_percent()

    def read(self) -> SystemLoad:
        """Takes about 0.2 ms."""
        return SystemLoad(
            cpu_percent=self._process.cpu_percent() / self._cores,
            memory_mb=self._process.memory_info().rss / 1e6,
            temperature_c=_temperature(),
        )


def _temperature() -> float | None:
    if not hasattr(psutil, "sensors_temperatures"):
        return None  # Windows, macOS
    sensors = psutil.sensors_temperatures()
    for name in _CPU_SENSORS:
        if sensors.get(name):
            return float(sensors[name][0].current)
    return None
