"""The trial of a stranger's model: loaded and run in a process of its own, with limits on memory and time.

`try_out` starts the process and reads its report; `run_trial` is what happens in there. Whatever the file does (crash,
hang, take all memory), it ends there as one message.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edgecam.errors import EdgecamError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.detector import Detector

SECONDS = 60.0
MEMORY_MB = 3000
MEMORY_SHARE = 0.7  # of what is free, at most
MEASURED_RUNS = 30
MEASURED_S = 2.0
MAX_REPORT = 4 << 20
SHOWN = 5  # detections in a report


@dataclass(frozen=True, slots=True)
class Seen:
    """A detection in a report: label, score and xyxy in the picture's pixels."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial found.

    Attributes:
        message: why the model cannot be used; "" if it can.
        family, reasons, questions: see `Recognition`.
        description: as `ModelDescription.to_dict` gives it.
        input_hw: of the run.
        load_ms: from the file to the first result.
        preprocess_ms, inference_ms, postprocess_ms: medians of repeated runs.
        memory_mb: the most that the process held at once.
        candidates: boxes above the floor in the picture; `seen`: the best of them after suppression.
    """

    message: str = ""
    family: str = ""
    reasons: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    description: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    threads: int = 0
    input_hw: tuple[int, int] = (0, 0)
    load_ms: float = 0.0
    preprocess_ms: float = 0.0
    inference_ms: float = 0.0
    postprocess_ms: float = 0.0
    memory_mb: float = 0.0
    candidates: int = 0
    seen: tuple[Seen, ...] = ()

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.inference_ms + self.postprocess_ms


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
            [*_own_command(), "models", "trial", json.dumps(options)],
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


def report_from_dict(data: dict[str, Any]) -> Report:
    kept = {item.name: data[item.name] for item in fields(Report) if item.name in data}
    for key in ("reasons", "questions", "inputs", "outputs", "input_hw"):
        kept[key] = tuple(kept.get(key, ()))
    kept["seen"] = tuple(Seen(one["label"], one["score"], tuple(one["box"])) for one in kept.get("seen", ()))
    return Report(**kept)


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        return f"its process died of {signal.Signals(-code).name}"
    except ValueError:
        return f"its process died of signal {-code}"


def _own_command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-P", "-m", "edgecam"]  # -P: nothing in the present folder is imported


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    package = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    # Each thread's own arena would reserve address space that counts against the limit.
    return environment | {"MALLOC_ARENA_MAX": "2", "ORT_DISABLE_TELEMETRY": "1"}


# In the process


def run_trial(options: dict[str, Any]) -> int:
    """Loads and runs one model and prints the report as JSON; returns the exit code."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no report
    threading.Thread(target=_die_with_parent, daemon=True).start()
    report = _guarded(options)
    answer.write(json.dumps(asdict(report)))
    answer.flush()
    return 0 if not report.message else 1


def _die_with_parent() -> NoReturn:
    with contextlib.suppress(OSError):
        os.read(0, 1)
    os._exit(1)


def _guarded(options: dict[str, Any]) -> Report:
    import cv2
    import onnxruntime  # noqa: F401 - before the limit: what every model needs is not counted

    cv2.setNumThreads(1)
    path = Path(options["path"])
    memory_mb = limit_memory(options["memory_mb"], options["seconds"])
    try:
        return _examine(path, options)
    except EdgecamError as error:
        text = str(error)
        if any(sign in text.lower() for sign in ("bad_alloc", "failed to allocate", "bad alloc")):
            return Report(f"{path}: the model needs more memory than it may have here ({memory_mb} MB).")
        return Report(text)
    except MemoryError:
        return Report(f"{path}: the model needs more memory than it may have here ({memory_mb} MB).")
    except Exception as error:  # noqa: BLE001 - a stranger's file: whatever happens is a message
        return Report(f"{path}: the model cannot be used ({type(error).__name__}: {error}).")


def limit_memory(memory_mb: int, seconds: float) -> int:
    """Limits this process, and returns the MB that it may still take; where the system has no limits, as asked."""
    try:
        import resource
    except ImportError:
        return memory_mb  # Windows: time alone is limited
    import psutil

    memory_mb = min(memory_mb, int(psutil.virtual_memory().available / 1e6 * MEMORY_SHARE))
    held = psutil.Process().memory_info().vms
    for kind, value in (
        (resource.RLIMIT_AS, held + memory_mb * 1_000_000),
        (resource.RLIMIT_CPU, int(seconds * (os.cpu_count() or 1)) + 1),
        (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit is set already
            resource.setrlimit(kind, (value, value))
    return memory_mb


def _examine(path: Path, options: dict[str, Any]) -> Report:
    from edgecam.detector.detector import Detector

    started = time.perf_counter()
    hw = options["input_hw"]
    detector = Detector(path, threads=options["threads"], input_hw=(hw[0], hw[1]) if hw else None)
    detector.warm_up()
    load_ms = (time.perf_counter() - started) * 1e3
    image = _picture(options["picture"])
    times, candidates, seen = _measure(detector, image)
    recognition = detector.recognition
    return Report(
        family=recognition.family,
        reasons=recognition.reasons,
        questions=tuple(question.value for question in recognition.questions),
        description=recognition.description.to_dict(),
        inputs=detector.declared_inputs,
        outputs=detector.declared_outputs,
        threads=detector.threads,
        input_hw=detector.input_hw or (0, 0),
        load_ms=load_ms,
        preprocess_ms=times[0],
        inference_ms=times[1],
        postprocess_ms=times[2],
        memory_mb=_peak_mb(),
        candidates=candidates,
        seen=seen,
    )


def _picture(name: str | None) -> NDArray[np.uint8]:
    import cv2
    import numpy as np

    if name is None:
        return np.full((720, 1280, 3), 114, np.uint8)
    image = cv2.imread(name, cv2.IMREAD_COLOR)
    if image is None:
        raise ModelError(f"{name}: this picture cannot be read.")
    return image.astype(np.uint8, copy=False)


def _measure(detector: Detector, image: NDArray[np.uint8]) -> tuple[tuple[float, float, float], int, tuple[Seen, ...]]:
    """Medians of the three stages, the number of candidates, and the best detections."""
    from statistics import median

    from edgecam.detector.selection import Selection

    runs = []
    until = time.perf_counter() + MEASURED_S
    for _ in range(MEASURED_RUNS):
        runs.append(detector(image))
        if time.perf_counter() > until:
            break
    thresholds = detector.description.thresholds
    found = Selection(thresholds.score, thresholds.iou, max_detections=SHOWN).apply(runs[-1].candidates)
    seen = tuple(
        Seen(detector.labels[class_id], round(float(score), 3), _rounded(box))
        for box, score, class_id in zip(found.boxes, found.scores, found.class_ids, strict=True)
    )
    return (
        (
            median(run.preprocess_ms for run in runs),
            median(run.inference_ms for run in runs),
            median(run.postprocess_ms for run in runs),
        ),
        len(runs[-1].candidates),
        seen,
    )


def _rounded(box: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(value), 1) for value in box)
    return x1, y1, x2, y2


def _peak_mb() -> float:
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1000 if sys.platform != "darwin" else 1e6)
