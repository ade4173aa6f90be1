"""What `edgecam models` prints of a model: its report, what is a guess, and the ways to read unknown outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgecam.detector.recognition.recognition import Recognition
    from edgecam.detector.report import Report


def print_report(path: Path, report: Report, picture: str) -> None:
    from edgecam.detector.description_json import complete

    description = complete(report.description, source=str(path))
    given = description.input
    height, width = report.input_hw
    fixed = "fixed by the file" if given.height else "the file leaves it open"
    scaling = "pixels as they are" if given.dtype == "uint8" else f"(pixel − {list(given.mean)}) / {list(given.std)}"
    print_lines(
        [
            ("file", str(path)),
            ("recognised as", report.family),
            *(("because", reason) for reason in report.reasons),
            *(("input", text) for text in report.inputs),
            *(("output", text) for text in report.outputs),
            ("size", f"{width}×{height}, {fixed}"),
            ("picture", f"{given.color}, {given.layout}, {given.resize}, pad {given.pad_value}, {scaling}"),
            ("decoder", f"{description.output.decoder.value}, scores: {description.output.activation.value}"),
            ("precision", description.precision or "unknown"),
            (
                "classes",
                f"{len(description.labels)}: {', '.join(description.labels[:8])}{' …' * (len(description.labels) > 8)}",
            ),
            ("load and warm-up", f"{report.load_ms:.0f} ms"),
            ("preprocess", f"{report.preprocess_ms:.1f} ms"),
            ("inference", f"{report.inference_ms:.1f} ms with {report.threads} thread{'s' * (report.threads != 1)}"),
            ("postprocess", f"{report.postprocess_ms:.1f} ms"),
            ("memory", f"{report.memory_mb:.0f} MB at most"),
            ("photograph", f"{picture}: {report.candidates} candidates"),
            *(
                ("sees", f"{one.label} {one.score:.2f} at {', '.join(f'{x:.0f}' for x in one.box)}")
                for one in report.seen
            ),
        ]
    )
    print_questions(report)


def print_readings(sidecar: Path, recognition: Recognition) -> None:
    """The ways to read unknown outputs, each with what to write so that it is taken."""
    from edgecam.detector.recognition.unknown import sidecar_for

    print(f"These readings fit. Write what stands below the right one into {sidecar}, or drop the file on the window:")
    print("it shows what each one makes of the picture.")
    for reading in recognition.readings:
        print(f"\n{reading.text}\n  {json.dumps(sidecar_for(recognition, reading), ensure_ascii=False)}")
    print('\nAdd "labels": ["…", …] for the names of the classes.')


def print_lines(lines: Sequence[tuple[str, str]]) -> None:
    width = max(len(key) for key, _ in lines)
    previous = ""
    for key, value in lines:
        print(f"{'' if key == previous else key:{width}}  {value}")
        previous = key


def print_questions(report: Report) -> None:
    if report.questions:
        print(
            f"Guessed, please check: {', '.join(report.questions)}. A file of the model's name ending in .json can say "
            "otherwise; the window asks."
        )
