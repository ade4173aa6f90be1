"""The proof of a busy host on which other tests rely."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processor_share import ShareMeter

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the kernel's books are those of Linux")

BUSY = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
PINNED = "import os; os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]}); " + BUSY


def run(*programs: str) -> ShareMeter:
    children = [subprocess.Popen([sys.executable, "-c", program]) for program in programs]
    with ShareMeter(children[0].pid) as meter:
        for child in children:
            child.wait()
    return meter


def test_what_sleeps_waits_for_no_processor() -> None:
    with ShareMeter() as meter:
        time.sleep(1)
    assert meter.ran_s < 0.5
    assert not meter.starved


def test_many_on_one_processor_are_starved() -> None:
    meter = run(*[PINNED] * 6)
    assert meter.waited_s > 1.5 * meter.ran_s


def test_descendants_count() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    with ShareMeter() as meter:
        subprocess.run([sys.executable, "-c", child], check=True)
    assert meter.ran_s + meter.waited_s > 0.5
