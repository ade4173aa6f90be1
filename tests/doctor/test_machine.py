"""Each problem with the machine, provoked."""

from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edgecam.doctor import machine
from edgecam.doctor.finding import Verdict
from edgecam.fit.burden import BurdenFailed, CpuQuota
from edgecam.throttling import Throttling, read_throttling

if TYPE_CHECKING:
    from pathlib import Path

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


@pytest.mark.parametrize(
    ("flags", "kind", "verdict", "words"),
    [
        ({"avx2", "avx512_vnni"}, "x86_64", OK, "AVX-512 VNNI"),
        ({"avx2"}, "x86_64", OK, "AVX2 and without VNNI: int8 models are not quicker"),
        ({"sse4_2"}, "x86_64", WARNING, "without AVX2"),
        ({"asimd", "asimddp"}, "aarch64", OK, "dot product"),
        ({"asimd"}, "aarch64", WARNING, "Raspberry Pi 4"),
        ({"v"}, "riscv64", WARNING, "riscv64"),
        (None, "arm64", OK, "arm64"),
    ],
)
def test_processor(flags: set[str] | None, kind: str, verdict: Verdict, words: str) -> None:
    finding = machine.check_processor(frozenset(flags) if flags is not None else None, kind)
    assert finding.verdict is verdict
    assert words in finding.text


@pytest.mark.parametrize("line", ["flags\t\t: fpu avx2", "Features\t: fpu avx2"])
def test_processor_flags(line: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{line}\n")
    assert machine.processor_flags(tmp_path / "cpuinfo") == {"fpu", "avx2"}
    assert machine.processor_flags(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("usable", "quota", "verdict"), [(4, None, OK), (1, None, WARNING), (4, 0.5, WARNING), (4, 2.0, OK)]
)
def test_cores(usable: int, quota: float | None, verdict: Verdict) -> None:
    assert machine.check_cores(usable, 4, quota).verdict is verdict


@pytest.mark.parametrize(
    ("files", "membership", "quota"),
    [
        ({"cpu.max": "max 100000"}, "0::/", None),
        ({"cpu.max": "50000 100000"}, "0::/", 0.5),
        ({"cpu.max": "rubbish"}, "0::/", None),
        ({"cpu.max": "50000 0"}, "0::/", None),
        ({"system.slice/edgecam.service/cpu.max": "150000 100000"}, "0::/system.slice/edgecam.service", 1.5),
        ({"a.slice/cpu.max": "30000 100000", "a.slice/b/cpu.max": "max 100000"}, "0::/a.slice/b", 0.3),
        ({"other/cpu.max": "30000 100000"}, "0::/mine", None),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu,cpuacct:/", None),
        ({"cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu,cpuacct:/docker/abc", 0.2),
        (
            {"cpu,cpuacct/docker/a/cpu.cfs_quota_us": "70000", "cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000"},
            "9:memory:/docker/z\n4:cpu,cpuacct:/docker/a",
            0.7,
        ),
        ({"cpu/x/cpu.cfs_quota_us": "20000", "cpu/x/cpu.cfs_period_us": "100000"}, "9:memory:/x\n3:cpu:/", None),
        ({}, "no such line", None),
    ],
)
def test_quota_of_the_control_groups(
    files: dict[str, str], membership: str, quota: float | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "membership").write_text(membership + "\n")
    assert machine.cpu_quota(tmp_path, tmp_path / "membership") == quota


def test_a_real_control_group_is_seen() -> None:
    """In a group of its own (as root), where the system allows one; the doctor of another process sees its limit."""
    child = subprocess.Popen(
        [sys.executable, "-c", "input(); from edgecam.doctor.machine import cpu_quota; print(cpu_quota())"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    limit = CpuQuota(40, pid=child.pid)
    try:
        limit.lay_on()
    except BurdenFailed as error:
        child.communicate("\n")
        pytest.skip(f"no control group can be made here: {error}")
    try:
        assert child.communicate("\n", timeout=60)[0].strip() == "0.4"
    finally:
        child.kill()
        child.wait()
        limit.take_off()


def test_memory() -> None:
    assert machine.check_memory(2000, 4000).verdict is OK
    assert machine.check_memory(150, 1000).verdict is WARNING


@pytest.mark.parametrize(("free_mb", "verdict"), [(20_000, OK), (300, WARNING), (3, PROBLEM)])
def test_disk(free_mb: float, verdict: Verdict, tmp_path: Path) -> None:
    (finding,) = machine.check_disk([tmp_path / "not" / "there" / "yet"], lambda _: free_mb)
    assert finding.verdict is verdict


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    (finding,) = machine.check_disk([file / "below"])
    assert finding.verdict is PROBLEM
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    (finding,) = machine.check_disk([tmp_path])
    assert finding.verdict is PROBLEM
    assert "chown" in finding.remedy


@pytest.mark.parametrize(("celsius", "verdict"), [(None, OK), (48.0, OK), (78.0, WARNING), (86.0, PROBLEM)])
def test_temperature(celsius: float | None, verdict: Verdict) -> None:
    assert machine.check_temperature(celsius).verdict is verdict


@pytest.mark.parametrize(
    ("flags", "verdict", "words"),
    [
        (0x0, OK, "no under-voltage"),
        (0x50000, WARNING, "under-voltage, throttling"),
        (0x50005, PROBLEM, "power supply is too weak; throttled"),
        (0x80008, PROBLEM, "temperature limit"),
        (0x20002, PROBLEM, "capped"),
    ],
)
def test_power_and_throttling_in_words(flags: int, verdict: Verdict, words: str) -> None:
    finding = machine.check_throttling(Throttling(flags))
    assert finding is not None
    assert finding.verdict is verdict
    assert words in finding.text
    if "voltage" in finding.text and flags:
        assert "power supply" in finding.remedy


def test_where_the_flags_come_from(tmp_path: Path) -> None:
    sysfs = tmp_path / "get_throttled"
    assert read_throttling(sysfs, program="no-such-program") is None
    assert machine.check_throttling(None) is None
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\n[ $1 = get_throttled ] && echo throttled=0x50005\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert read_throttling(sysfs, program=str(program)) == Throttling(0x50005)
    sysfs.write_text("80000\n")
    assert read_throttling(sysfs, program=str(program)) == Throttling(0x80000)
    assert Throttling(0x80000).now == ()


def test_clock() -> None:
    assert machine.check_clock(newest_file=1_000_000_000, now=1_000_003_600).verdict is OK
    finding = machine.check_clock(newest_file=1_790_000_000, now=0)
    assert finding.verdict is PROBLEM
    assert "1970" in finding.text


@pytest.mark.parametrize(
    ("providers", "cards", "verdict"),
    [
        (["CPUExecutionProvider"], [], OK),
        (["AzureExecutionProvider", "CPUExecutionProvider"], ["Intel"], OK),
        (["CPUExecutionProvider"], ["NVIDIA"], WARNING),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], ["NVIDIA"], OK),
    ],
)
def test_acceleration(providers: list[str], cards: list[str], verdict: Verdict) -> None:
    assert machine.check_acceleration(providers, cards).verdict is verdict


def test_graphics_cards(tmp_path: Path) -> None:
    for number, vendor in enumerate(("0x10de", "0x8086", "0x1af4")):
        folder = tmp_path / f"card{number}" / "device"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")
    assert machine.graphics_cards(tmp_path) == ["Intel", "NVIDIA"]
