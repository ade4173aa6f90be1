"""Loading a model that somebody chose: a stranger's file is tried out in a process of its own first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.detector.description_json import complete, output_spec
from edgecam.detector.detector import Detector
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.recognition.match import Question
from edgecam.detector.recognition.reading import Reading
from edgecam.detector.recognition.recognition import Recognition, UnknownOutputs
from edgecam.detector.records import fingerprint
from edgecam.detector.trial import try_out
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.detector.model_library import ModelEntry
    from edgecam.detector.records import Records
    from edgecam.detector.report import Report


def load_detector(
    entry: ModelEntry,
    records: Records,
    *,
    threads: int | None = None,
    input_hw: tuple[int, int] | None = None,
    provider: str | None = None,
) -> Detector:
    """The model of `entry`, ready but not warm; one that came with edgecam is loaded at once.

    Raises:
        UnknownOutputs: see `passed`.
        ModelError: it cannot be used.
    """
    if not entry.bundled:
        passed(entry.path, records, threads=threads, input_hw=input_hw)
    return Detector.of(entry, threads=threads, input_hw=input_hw, provider=provider)


def passed(
    path: Path,
    records: Records,
    *,
    threads: int | None = None,
    input_hw: tuple[int, int] | None = None,
    picture: Path | None = None,
    again: bool = False,
) -> Report:
    """The report of a model's trial, made now unless it has been made before.

    Args:
        again: it is tried out in any case.

    Raises:
        UnknownOutputs: it runs, but a person has to say how its outputs are read.
        ModelError: it does not pass.
    """
    file = read_onnx_file(path)  # quick, and its messages are the best
    try:
        key = fingerprint(path, file.external) + (f" {input_hw[0]}x{input_hw[1]}" if input_hw else "")
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    report = None if again else records.find(key)
    if report is None:
        report = try_out(path, threads=threads, input_hw=input_hw, picture=picture)
        if report.message:
            raise _refusal(report, path)
        records.add(key, report)
    return report


def _refusal(report: Report, path: Path) -> ModelError:
    if not report.readings:
        return ModelError(report.message)
    source = str(path)
    readings = tuple(
        Reading(str(one["text"]), output_spec(one["output"], source=source), one["classes"]) for one in report.readings
    )
    recognition = Recognition(
        complete(report.description, source=source),
        report.family,
        report.reasons,
        tuple(Question(question) for question in report.questions),
        readings,
    )
    return UnknownOutputs(report.message, recognition)
