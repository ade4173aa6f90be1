"""What makes it hard for the program on purpose."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from edgecam.fit.burden import BurdenFailed, BusyProcesses, CpuQuota


def test_busy_processes_come_and_go() -> None:
    burden = BusyProcesses(1)
    burden.lay_on()
    burden.lay_on()  # once is enough
    (busy,) = [psutil.Process(process.pid) for process in burden._processes]
    deadline = time.monotonic() + 20
    while busy.cpu_times().user < 0.2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert busy.cpu_times().user >= 0.2
    burden.take_off()
    assert not busy.is_running()


def test_where_no_control_group_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    burden = CpuQuota(25, root=tmp_path / "missing")
    with pytest.raises(BurdenFailed, match="--burden busy"):
        burden.lay_on()
    burden.take_off()


def test_a_real_control_group_holds_this_process_and_lets_it_go() -> None:
    burden = CpuQuota(50)
    try:
        burden.lay_on()
    except BurdenFailed as error:
        pytest.skip(str(error))
    assert f"edgecam-{os.getpid()}" in Path("/proc/self/cgroup").read_text()
    burden.take_off()
    assert f"edgecam-{os.getpid()}" not in Path("/proc/self/cgroup").read_text()
    assert not burden._group.exists()
