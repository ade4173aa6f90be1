"""What the machine is doing, each figure against something known that was done to it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from edgecam import resources
from edgecam.detector.detector import Detector
from edgecam.sensors import cpu_clock_mhz, cpu_temperature
from edgecam.system_load import THREAD_GROUPS, LoadMeter, ThreadLoadMeter, name_native_thread
from edgecam.throttling import Throttling, ThrottlingWatch

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def busy(seconds: float) -> None:
    """Uses so much of a core's time in this thread."""
    until = time.thread_time() + seconds
    values = np.random.default_rng(0).random(1000)
    while time.thread_time() < until:
        np.sort(values)


@pytest.fixture
def meter() -> ThreadLoadMeter:
    meter = ThreadLoadMeter()
    if not meter.read():
        pytest.skip("the system keeps no book of threads")
    return meter


def measured(meter: ThreadLoadMeter, started: float) -> dict[str, float]:
    """Seconds of a core by group since `started`."""
    groups = meter.read()
    elapsed = time.monotonic() - started
    return {name: percent / 100 * elapsed for name, percent in groups.items()}


@pytest.mark.parametrize(("name", "group"), [("capture x", "capture"), ("detector", "detector"), ("x", "other")])
def test_a_thread_of_each_group_by_its_own_clock(meter: ThreadLoadMeter, name: str, group: str) -> None:
    stop, done = threading.Event(), threading.Event()

    def work() -> None:
        busy(0.3)
        done.set()
        stop.wait(10)

    started = time.monotonic()
    thread = threading.Thread(target=work, name=name)
    thread.start()
    assert done.wait(20)
    time.sleep(0.05)  # the kernel's books are brought up to date when a thread rests
    seconds = measured(meter, started)
    stop.set()
    thread.join()
    assert seconds[group] == pytest.approx(0.3, abs=0.06)
    assert sum(seconds.values()) - seconds[group] < 0.15


def test_the_windows_thread_is_the_main_one(meter: ThreadLoadMeter) -> None:
    started = time.monotonic()
    busy(0.3)
    time.sleep(0.02)
    seconds = measured(meter, started)
    assert seconds["window"] == pytest.approx(0.3, abs=0.06)
    assert seconds["capture"] + seconds["detector"] < 0.06


def test_the_threads_of_onnxruntime_count_as_the_detectors(meter: ThreadLoadMeter) -> None:
    detector = Detector(resources.models_folder() / "edgecam-nano.onnx", threads=2)
    image = np.zeros((320, 320, 3), np.uint8)
    own_s = [0.0]

    def work() -> None:
        began = time.thread_time()
        for _ in range(30):
            detector(image)
        own_s[0] = time.thread_time() - began

    detector.warm_up()
    meter.read()
    started, process_s, main_s = time.monotonic(), time.process_time(), time.thread_time()
    stop = threading.Event()
    thread = threading.Thread(target=lambda: (work(), stop.wait(10)), name="detector")
    thread.start()
    while not own_s[0]:
        time.sleep(0.02)
    time.sleep(0.05)
    seconds = measured(meter, started)
    by_process = time.process_time() - process_s - (time.thread_time() - main_s)
    stop.set()
    thread.join()
    assert by_process > own_s[0] + 0.01  # there were such threads
    assert seconds["detector"] == pytest.approx(by_process, rel=0.03, abs=0.005)


def test_threads_that_libraries_start_in_the_cameras_count_as_its_own(meter: ThreadLoadMeter) -> None:
    """A library that starts nameless threads, here onnxruntime, in a thread named as that of a camera is."""
    made: list[Detector] = []

    def work() -> None:
        name_native_thread("capture")
        made.append(Detector(resources.models_folder() / "edgecam-nano.onnx", threads=2))
        for _ in range(20):
            made[0](np.zeros((320, 320, 3), np.uint8))
        stop.wait(10)

    stop = threading.Event()
    started = time.monotonic()
    thread = threading.Thread(target=work, name="capture x")
    thread.start()
    time.sleep(1.5)
    seconds = measured(meter, started)
    stop.set()
    thread.join()
    assert seconds["capture"] > 0.1
    assert seconds["detector"] < 0.02 * seconds["capture"]


def test_the_time_of_threads_that_ended_is_not_lost(meter: ThreadLoadMeter) -> None:
    started = time.monotonic()
    thread = threading.Thread(target=busy, args=(0.3,), name="capture x")
    thread.start()
    thread.join()
    deadline = time.monotonic() + 5
    while (meter._tasks / str(thread.native_id)).exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # for Python it has ended, for the system not quite
    assert measured(meter, started)["other"] == pytest.approx(0.3, abs=0.1)


def test_where_no_book_is_kept_there_is_no_figure(tmp_path: Path) -> None:
    assert ThreadLoadMeter(tmp_path / "none").read() == {}
    assert set(ThreadLoadMeter().read()) in (set(THREAD_GROUPS), set())


def test_processor_time_of_the_whole_program() -> None:
    meter = LoadMeter()
    began, used = time.monotonic(), time.process_time()
    meter.read()
    busy(0.4)
    time.sleep(0.2)
    read = meter.read()
    expected = (time.process_time() - used) / (time.monotonic() - began) * 100 / (psutil.cpu_count() or 1)
    assert read.cpu_percent == pytest.approx(expected, rel=0.15)


def test_memory_grows_by_what_is_allocated_and_falls_by_what_is_freed() -> None:
    meter = LoadMeter()
    before = meter.read().memory_mb
    block = np.ones(200 * MIB, np.uint8)
    with_block = meter.read().memory_mb
    assert with_block - before == pytest.approx(block.nbytes / 1e6, abs=4)
    del block
    assert meter.read().memory_mb == pytest.approx(before, abs=4)


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """As a Raspberry Pi 5's kernel lays it out: a sensor that is not the processor's, then that one; two clocks."""
    files = {
        "class/hwmon/hwmon0/name": "rp1_adc", "class/hwmon/hwmon0/temp1_input": "39000",
        "class/hwmon/hwmon1/name": "cpu_thermal", "class/hwmon/hwmon1/temp1_input": "61650",
        "class/thermal/thermal_zone0/type": "cpu-thermal", "class/thermal/thermal_zone0/temp": "61100",
        "devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1500000",
        "devices/system/cpu/cpufreq/policy0/affected_cpus": "0 1 2",
        "devices/system/cpu/cpufreq/policy3/scaling_cur_freq": "2400000",
        "devices/system/cpu/cpufreq/policy3/affected_cpus": "3",
    }  # fmt: skip
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + "\n")
    return tmp_path


def test_temperature_and_clock_of_a_board(sysfs: Path) -> None:
    meter = LoadMeter(sysfs, ThrottlingWatch(sysfs / "none", program="no-such-program"))
    load = meter.read()
    assert load.temperature_c == pytest.approx(61.65)
    assert load.clock_mhz == pytest.approx((3 * 1500 + 2400) / 4)
    assert load.throttling is None
    (sysfs / "class/hwmon/hwmon1/temp1_input").write_text("80200\n")
    (sysfs / "devices/system/cpu/cpufreq/policy3/scaling_cur_freq").write_text("600000\n")
    hotter = meter.read()
    assert hotter.temperature_c == pytest.approx(80.2)
    assert hotter.clock_mhz == pytest.approx((3 * 1500 + 600) / 4)


def test_a_thermal_zone_will_do(sysfs: Path) -> None:
    (sysfs / "class/hwmon/hwmon1/name").write_text("nvme\n")
    assert cpu_temperature(sysfs) == pytest.approx(61.1)
    (sysfs / "class/thermal/thermal_zone0/temp").write_text("rubbish\n")
    assert cpu_temperature(sysfs) is None


def test_what_the_machine_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    assert cpu_temperature(tmp_path) is None
    assert cpu_clock_mhz(tmp_path) is None


def test_the_firmwares_flags_come_from_the_kernel_where_it_has_them(sysfs: Path) -> None:
    flags = sysfs / "get_throttled"
    flags.write_text("50005\n")
    meter = LoadMeter(sysfs, ThrottlingWatch(flags, program="no-such-program"))
    assert meter.read().throttling == Throttling(0x50005)
    flags.write_text("0\n")
    assert meter.read().throttling == Throttling(0)


def test_a_slow_vcgencmd_is_never_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\nsleep 1\necho throttled=0x50005\n")
    program.chmod(0o755)
    watch = ThrottlingWatch(tmp_path / "none", program=str(program))
    started, longest = time.monotonic(), 0.0
    while watch.read() is None and time.monotonic() < started + 20:
        began = time.monotonic()
        watch.read()
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.02)
    assert watch.read() == Throttling(0x50005)
    assert time.monotonic() - started > 1
    assert longest < 0.3
