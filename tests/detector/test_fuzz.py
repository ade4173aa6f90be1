"""A short run of the fuzzer; the long one is `python -m tests.detector.fuzz`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edgecam.detector.description import Decoder
from tests.detector.fuzz import fuzz_outputs, fuzz_recognition
from tests.detector.fuzz_sidecars import fuzz_sidecars

PROJECT = Path(__file__).resolve().parents[2]


def test_mutated_outputs() -> None:
    ends = fuzz_outputs(0, 2000)
    assert sum(ends.values()) == 2000
    found = {end.split(":")[0] for end in ends if end.endswith("found")}
    assert len(found) == len(Decoder), f"the fuzzer hits too few decoders: {found}"


def test_mutated_outputs_of_unknown_models() -> None:
    ends = fuzz_recognition(0, 3000)
    assert len(ends) >= 10, f"the fuzzer hits too few families: {ends}"


def test_odd_sidecars() -> None:
    ends = fuzz_sidecars(0, 800)
    assert len(ends) == 3, f"the fuzzer hits too little: {ends}"


def test_mutated_files() -> None:
    """In a process of their own: a file may take it down, but not with a Python error."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.detector.fuzz", "files", "0", "300"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode <= 0
