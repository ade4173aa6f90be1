"""The machine: processor, memory, disk, heat, power, clock."""

from __future__ import annotations

import datetime
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgecam.doctor.finding import Finding, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgecam.throttling import Throttling

HOT_C: Final = 75.0
TOO_HOT_C: Final = 85.0
LOW_MEMORY_MB: Final = 400
LOW_DISK_MB: Final = 500
NO_DISK_MB: Final = 20


def check_processor(flags: frozenset[str] | None, machine: str) -> Finding:
    """The instructions that make inference quick.

    Args:
        flags: as the kernel names them; None where it does not tell.
        machine: "x86_64", "aarch64", …
    """
    what = "Processor"
    if flags is None:
        return ok(what, machine)
    if machine == "x86_64":
        wanted = {"avx2": "AVX2", "avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX VNNI"}
        needed, effect = "avx2", "models run at about half the speed"
    elif machine == "aarch64":
        wanted = {"asimddp": "dot product", "asimdhp": "half precision", "i8mm": "int8 matrices"}
        needed, effect = "asimddp", "int8 models are not quicker than others (Raspberry Pi 4 and older)"
    else:
        return warning(what, f"{machine}: not one that edgecam was tried on")
    found = ", ".join(words for flag, words in wanted.items() if flag in flags)
    if needed not in flags:
        return warning(what, f"{machine} without {wanted[needed]}: {effect}", "choose a smaller model or input size")
    if machine == "x86_64" and not flags & {"avx512_vnni", "avx_vnni"}:
        found += " and without VNNI: int8 models are not quicker than others"
    return ok(what, f"{machine} with {found}")


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str] | None:
    """The processor's features; None where the system does not tell."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return None


def check_cores(usable: int, present: int, quota: float | None) -> Finding:
    """How many cores edgecam may use.

    Args:
        quota: cores that the control group allows; None for no limit.
    """
    what = "Cores"
    allowed = min(usable, quota) if quota is not None else usable
    if allowed < 2:
        reason = f"limited to {quota:.1f} by its control group" if quota is not None and quota < usable else "one only"
        return warning(
            what, f"{allowed:.1f} of {present} ({reason}): the detector and the window share one",
            "give it more (systemd: CPUQuota, docker: --cpus), or choose a small model",
        )  # fmt: skip
    return ok(what, f"{allowed:g} of {present}")


def cpu_quota(cgroup: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Cores that the control groups allow, the strictest of this process's and of those it lies in; None for no limit.

    Args:
        cgroup: where they are mounted: version 2, or 1 with a folder for each controller.
        membership: the groups of this process, as the kernel lists them.
    """
    limits = [limit for group in _own_groups(cgroup, membership) if (limit := _limit_of(group)) is not None]
    return min(limits, default=None)


def _own_groups(cgroup: Path, membership: Path) -> list[Path]:
    """Each group that counts for this process, up to the one that is mounted."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    groups = {cgroup, cgroup / "cpu", cgroup / "cpu,cpuacct"}
    for names, path in (line.split(":", 2)[1:] for line in lines if line.count(":") >= 2):
        if names and "cpu" not in names.split(","):
            continue  # of another controller
        mounted = [cgroup] if not names else [cgroup / "cpu", cgroup / names]
        # A container may see its group's name, but not the group: then those above do not exist and do not count.
        parts = Path(path.lstrip("/")).parts
        groups |= {root.joinpath(*parts[:depth]) for root in mounted for depth in range(len(parts) + 1)}
    return sorted(groups)


def _limit_of(group: Path) -> float | None:
    """Cores that one group allows, in the files of version 2 or 1."""
    try:
        if (group / "cpu.max").exists():
            quota, _, period = (group / "cpu.max").read_text().partition(" ")
        else:
            quota, period = (group / "cpu.cfs_quota_us").read_text(), (group / "cpu.cfs_period_us").read_text()
        limit = int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None  # no such files; or "max"
    return limit if limit > 0 else None  # version 1 says -1 for none


def check_memory(available_mb: float, total_mb: float) -> Finding:
    text = f"{available_mb:.0f} MB of {total_mb:.0f} MB free"
    if available_mb < LOW_MEMORY_MB:
        return warning("Memory", text, "close other programs: edgecam needs about 300 MB")
    return ok("Memory", text)


def check_disk(folders: Iterable[Path], free_mb: Callable[[Path], float] | None = None) -> list[Finding]:
    """Whether there is room in the folders that edgecam writes to, and whether it may write there."""
    findings = []
    for folder in folders:
        what = f"Folder {folder}"
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            findings.append(problem(what, "cannot be written to", f'sudo chown "$USER" {nearest}'))
            continue
        free = (free_mb or _free_mb)(nearest)
        if free < NO_DISK_MB:
            findings.append(problem(what, f"the disk is full ({free:.0f} MB free)", "delete what is not needed"))
        elif free < LOW_DISK_MB:
            findings.append(warning(what, f"{free:.0f} MB free", "delete what is not needed"))
        else:
            findings.append(ok(what, f"{free / 1000:.1f} GB free"))
    return findings


def _free_mb(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 1e6


def check_temperature(celsius: float | None) -> Finding:
    what = "Temperature"
    if celsius is None:
        return ok(what, "this machine does not tell")
    if celsius >= TOO_HOT_C:
        return problem(what, f"{celsius:.0f} °C: it slows down", "cool it: a heat sink, a fan, less load")
    if celsius >= HOT_C:
        return warning(what, f"{celsius:.0f} °C", "a heat sink or a fan helps before it slows down")
    return ok(what, f"{celsius:.0f} °C")


def check_throttling(throttling: Throttling | None) -> Finding | None:
    """What the firmware of a Raspberry Pi says; None on other machines."""
    what = "Power"
    if throttling is None:
        return None
    weak = any("under-voltage" in words for words in (*throttling.now, *throttling.before))
    remedy = "use the board's own power supply and a short cable" if weak else "cool it: a heat sink, a fan"
    if throttling.now:
        return problem(what, f"now: {'; '.join(throttling.now)}", remedy)
    if throttling.before:
        return warning(what, f"since the start there was {', '.join(throttling.before)}", remedy)
    return ok(what, "no under-voltage, no throttling since the start")


def check_clock(newest_file: float, now: float | None = None) -> Finding:
    """A clock that is behind edgecam's own files is wrong: secure streams fail, snapshots get wrong names.

    Args:
        newest_file: when edgecam's files were made, seconds since 1970.
    """
    now = time.time() if now is None else now
    text = datetime.datetime.fromtimestamp(now).astimezone().strftime("%Y-%m-%d %H:%M %Z")
    if now < newest_file - 86400:
        return problem("Clock", f"{text} lies before edgecam was installed", "sudo timedatectl set-ntp true")
    return ok("Clock", text)


def check_acceleration(providers: Sequence[str], graphics: Sequence[str]) -> Finding:
    """Whether a graphics card that is there is used for inference.

    Args:
        providers: what onnxruntime can run on.
        graphics: makers of the cards, such as "NVIDIA".
    """
    what = "Acceleration"
    quick = [name.removesuffix("ExecutionProvider") for name in providers if not name.startswith(("CPU", "Azure"))]
    if quick:
        return ok(what, f"onnxruntime can use {', '.join(quick)}")
    if "NVIDIA" in graphics:
        return warning(
            what, "there is an NVIDIA card, but this onnxruntime runs on the processor alone",
            "python -m pip uninstall -y onnxruntime && python -m pip install onnxruntime-gpu",
        )  # fmt: skip
    return ok(what, "the processor alone")


def graphics_cards(drm: Path = Path("/sys/class/drm")) -> list[str]:
    """The makers of the graphics cards, by their PCI numbers."""
    makers = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
    found = set()
    for path in drm.glob("card*/device/vendor"):
        try:
            maker = makers.get(path.read_text().strip())
        except OSError:
            continue
        if maker:
            found.add(maker)
    return sorted(found)
