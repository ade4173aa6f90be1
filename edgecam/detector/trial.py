"""The trial of a stranger's model: loaded and run in a process of its own, with limits on memory and time.

`try_out` starts the process and reads its report; `trial_process` is what happens in there. Whatever the file does
(crash, hang, take all memory), it ends there as one message.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from edgecam.child_processes import own_command, own_environment
from edgecam.detector.limits import MEMORY_MB
from edgecam.detector.report import Report, report_from_dict

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60.0
MAX_REPORT = 4 << 20


def try_out(
    path: Path,
    *,
    threads: int | None = None,
    input_hw: tuple[int, int] | None = None,
    picture: Path | None = None,
    seconds: float = SECONDS,
    memory_mb: int = MEMORY_MB,
) -> Report:
    """Runs the model in `path` in a process of its own.

    Args:
        picture: a photograph to run it on; None for a grey one.
        seconds: of time, after which it is killed.
        memory_mb: that it may take beyond what Python and onnxruntime need.

    Returns: the report; a model that fails has a message in it.
    """
    options: dict[str, Any] = {
        "path": str(path),
        "threads": threads,
        "input_hw": input_hw,
        "picture": str(picture) if picture else None,
        "seconds": seconds,
        "memory_mb": memory_mb,
    }
    try:
        process = subprocess.Popen(
            [*own_command(), "models", "trial", json.dumps(options)],
            stdin=subprocess.PIPE,  # closed when we die: the trial ends with us
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
    except OSError as error:
        return Report(f"{path}: the model could not be tried out in a process of its own ({error}).")
    with process:
        killer = threading.Timer(seconds, process.kill)
        killer.name = "trial's end"
        killer.start()
        try:
            assert process.stdout is not None
            answer = process.stdout.read(MAX_REPORT)
        finally:
            killed = not killer.is_alive()
            killer.cancel()
            process.kill()
    process.wait()
    return _report(answer, path, "did not finish" if killed else _ending(process.returncode), seconds, memory_mb)


def _report(answer: bytes, path: Path, ending: str, seconds: float, memory_mb: int) -> Report:
    try:
        data = json.loads(answer)
    except ValueError:
        data = None
    if isinstance(data, dict):
        return report_from_dict(data)
    if ending == "did not finish":
        return Report(f"{path}: the model was given up: it did not finish one picture within {seconds:.0f} s.")
    return Report(f"{path}: the model was given up: {ending} while it was loaded or run (allowed: {memory_mb} MB).")


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        return f"its process died of {signal.Signals(-code).name}"
    except ValueError:
        return f"its process died of signal {-code}"


def _environment() -> dict[str, str]:
    # Each thread's own arena would reserve address space that counts against the limit.
    return own_environment() | {"MALLOC_ARENA_MAX": "2", "ORT_DISABLE_TELEMETRY": "1"}
