"""What the machine is doing: processor time, whole and by thread group, memory and temperature."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from edgecam.sensors import SYSFS, cpu_clock_mhz, cpu_temperature
from edgecam.throttling import Throttling, ThrottlingWatch

THREAD_GROUPS = ("capture", "detector", "window", "other")
_NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class SystemLoad:
    """One reading.

    Attributes:
        cpu_percent: processor time of edgecam since the last reading, 100 = all cores.
        memory_mb: resident memory of edgecam in MB.
        temperature_c: the processor's temperature in °C; None where the machine does not tell.
        clock_mhz: the processor's clock now; None where the machine does not tell.
        throttling: what a Raspberry Pi's firmware says; None on other machines.
    """

    cpu_percent: float
    memory_mb: float
    temperature_c: float | None
    clock_mhz: float | None = None
    throttling: Throttling | None = None


class LoadMeter:
    """Reads the load; each reading covers the time since the one before.

    Args:
        sysfs: where the kernel tells temperature and clock.
        firmware: asked for the throttling.
    """

    def __init__(self, sysfs: Path = SYSFS, firmware: ThrottlingWatch | None = None) -> None:
        self._sysfs = sysfs
        self._process = psutil.Process()
        self._cores = os.cpu_count() or 1
        self._process.cpu_percent()
        self._has_clock = cpu_clock_mhz(sysfs) is not None
        self._firmware = firmware or ThrottlingWatch()

    def read(self) -> SystemLoad:
        """Takes about half a millisecond, and never waits for another program."""
        return SystemLoad(
            cpu_percent=self._process.cpu_percent() / self._cores,
            memory_mb=self._process.memory_info().rss / 1e6,
            temperature_c=cpu_temperature(self._sysfs),
            clock_mhz=cpu_clock_mhz(self._sysfs) if self._has_clock else None,
            throttling=self._firmware.read(),
        )


class ThreadLoadMeter:
    """Processor time by thread group; each reading covers the time since the one before.

    Groups: "capture" (the camera's thread and its decoders), "detector" (its thread and onnxruntime's), "window" (the
    main thread and Qt's), "other". Linux only: elsewhere there is nothing to read.
    """

    def __init__(self, tasks: Path = Path("/proc/self/task")) -> None:
        self._tasks = tasks
        self._then = time.monotonic()
        self._used = self._read_threads()
        self._process_s = time.process_time()

    def read(self) -> dict[str, float]:
        """Percent of one core of each group, by name; empty where the system does not tell."""
        now, used = time.monotonic(), self._read_threads()
        elapsed_s = max(1e-6, now - self._then)
        process_s = time.process_time()
        sums: dict[str, float] = dict.fromkeys(THREAD_GROUPS, 0.0) if used else {}
        groups = _groups_of_python_threads()
        for thread, seconds in used.items():
            group = groups.get(thread) or _group_of_native_thread(self._tasks / str(thread))
            # A thread that was born since the last reading has used all its time since then.
            sums[group] += max(0.0, seconds - self._used.get(thread, 0.0)) / elapsed_s * 100
        if sums:
            # What threads used that have ended since (a decoder of a file that was closed) is in no thread's book.
            ended = (process_s - self._process_s) / elapsed_s * 100 - sum(sums.values())
            sums["other"] += max(0.0, ended)
        self._then, self._used, self._process_s = now, used, process_s
        return sums

    def _read_threads(self) -> dict[int, float]:
        """Seconds of processor time of each thread, by its number."""
        used: dict[int, float] = {}
        try:
            entries = list(os.scandir(self._tasks))
        except OSError:
            return used
        for entry in entries:
            try:
                text = Path(entry.path, "schedstat").read_text()
            except OSError:
                continue  # it ended meanwhile, or the kernel keeps no such book
            used[int(entry.name)] = int(text.split()[0]) * _NANOSECONDS
        return used


def _groups_of_python_threads() -> dict[int, str]:
    groups: defaultdict[int, str] = defaultdict(str)
    for thread in threading.enumerate():
        if thread.native_id is None:
            continue
        if thread is threading.main_thread():
            groups[thread.native_id] = "window"
        else:
            word = thread.name.split(" ")[0]
            groups[thread.native_id] = word if word in {"capture", "detector"} else "other"
    return groups


def _group_of_native_thread(task: Path) -> str:
    """By the name that libraries give their threads, or that those have from the thread that started them.

    Those of onnxruntime have no name of their own.
    """
    try:
        name = (task / "comm").read_text().strip()
    except OSError:
        return "other"
    if name.startswith(("av:", "capture")):
        return "capture"
    return "window" if name.startswith(("Q", "Thread (pooled)", "llvmpipe", "gdrv")) else "detector"


def name_native_thread(name: str) -> None:
    """Gives this thread a name for the system (Linux; 15 characters count): what libraries start in it inherits it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(name)
