"""Each problem with the machine, provoked."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from edgecam.doctor import machine
from edgecam.doctor.finding import Verdict
from edgecam.throttling import Throttling, read_throttling

if TYPE_CHECKING:
    from pathlib import Path

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


@pytest.mark.parametrize(
    ("flags", "kind", "verdict", "words"),
    [
        ({"avx2", "avx512_vnni"}, "x86_64", OK, "AVX-512 VNNI"),
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


@pytest.mark.parametrize(("text", "quota"), [("max 100000", None), ("50000 100000", 0.5), ("rubbish", None)])
def test_quota_of_a_control_group(text: str, quota: float | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert machine.cpu_quota(tmp_path) == quota
    assert machine.cpu_quota(tmp_path / "none") is None


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
