"""What happens in the process of a trial: limits first, then one model is loaded, run, and reported on."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edgecam.detector.limits import Limits, memory_within
from edgecam.detector.recognition.recognition import UnknownOutputs
from edgecam.detector.report import Report, Seen
from edgecam.detector.session import OutOfMemory
from edgecam.errors import EdgecamError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.detector import Detector

MEASURED_RUNS = 30
MEASURED_S = 2.0
SHOWN = 5  # detections in a report


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
    memory_mb = memory_within(options["memory_mb"])
    limit_process(memory_mb, options["seconds"])
    too_much = Report(f"{path}: the model needs more memory than it may have here ({memory_mb} MB).")
    try:
        return _examine(path, options)
    except OutOfMemory:
        return too_much
    except EdgecamError as error:
        return Report(str(error))
    except MemoryError:
        return too_much
    except Exception as error:  # noqa: BLE001 - a stranger's file: whatever happens is a message
        return Report(f"{path}: the model cannot be used ({type(error).__name__}: {error}).")


def limit_process(memory_mb: int, seconds: float) -> None:
    """Limits this process to `memory_mb` beyond what it holds, and to `seconds` on each core."""
    try:
        import resource
    except ImportError:
        return  # Windows: onnxruntime's pool alone is limited
    import psutil

    held = psutil.Process().memory_info().vms
    for kind, value in (
        (resource.RLIMIT_AS, held + memory_mb * 1_000_000),
        (resource.RLIMIT_CPU, int(seconds * (os.cpu_count() or 1)) + 1),
        (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit is set already
            resource.setrlimit(kind, (value, value))


def _examine(path: Path, options: dict[str, Any]) -> Report:
    try:
        return _run(path, options)
    except UnknownOutputs as unknown:
        message, found = str(unknown), unknown.recognition
    # Run all the same, as the likeliest reading says: somebody will look at it with each of them. After the `except`,
    # whose error would keep a second copy of the model in memory.
    report = _run(path, options, sidecar=found.description.to_dict())
    return replace(
        report,
        message=message,
        family=found.family,
        reasons=found.reasons,
        questions=tuple(question.value for question in found.questions),
        readings=tuple(asdict(reading) for reading in found.readings),
    )


def _run(path: Path, options: dict[str, Any], *, sidecar: dict[str, Any] | None = None) -> Report:
    from edgecam.detector.detector import Detector

    started = time.perf_counter()
    hw = options["input_hw"]
    detector = Detector(
        path,
        threads=options["threads"],
        input_hw=(hw[0], hw[1]) if hw else None,
        sidecar=sidecar,
        limits=Limits(options["seconds"], options["memory_mb"]),
    )
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
