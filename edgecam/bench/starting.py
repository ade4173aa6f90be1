"""How long edgecam takes to start, measured from outside: a new process each time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

from edgecam.child_processes import own_command, own_environment
from edgecam.errors import EdgecamError

TIMEOUT_S = 60.0
MODULES = "edgecam.gui.application"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds of one start.

    Attributes:
        imports_s: from the start of the process until everything the window needs was imported.
        picture_s: from then until the first picture was painted.
        detection_s: from then until the first result of the detector; None where it did not come.
    """

    imports_s: float
    picture_s: float
    detection_s: float | None


class StartFailed(EdgecamError):
    """The process that was to be measured did not come up."""


def measure_start(options: list[str]) -> Start:
    """Starts edgecam in a process of its own, waits for its first picture and result, and ends it.

    Args:
        options: of `bench pipeline`, handed on (model, threads, platform).

    Raises:
        StartFailed: no picture came.
    """
    command = [*own_command(), "bench", "pipeline", *options, "--started-at", repr(time.monotonic())]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True, env=own_environment()
        )
        return Start(**json.loads(done.stdout.splitlines()[-1]))
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()
        raise StartFailed(f"The start could not be measured: {last[-1] if last else error}.") from error
    except (subprocess.TimeoutExpired, OSError, ValueError, IndexError, TypeError) as error:
        raise StartFailed(f"The start could not be measured: {error}.") from error


def import_times() -> dict[str, float]:
    """Milliseconds that the imports of each top-level package take, the heaviest first; empty where it is frozen."""
    if getattr(sys, "frozen", False):
        return {}
    command = [sys.executable, "-X", "importtime", "-c", f"import {MODULES}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise StartFailed(f"The imports could not be measured: {error}.") from error
    return parse_import_times(done.stderr)


def parse_import_times(text: str) -> dict[str, float]:
    """Sums what `python -X importtime` printed, by top-level package: {name: milliseconds}, the heaviest first."""
    sums: Counter[str] = Counter()
    for line in text.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == 3 and fields[0].strip().isdigit():
            sums[fields[2].strip().split(".")[0]] += int(fields[0])
    return {name: micros / 1e3 for name, micros in sums.most_common()}
