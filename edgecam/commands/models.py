"""`edgecam models …`: the library of detectors, and what edgecam makes of a file."""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.commands.models_text import print_lines, print_questions, print_readings, print_report
from edgecam.commands.source_options import model_library, model_records, positive_int
from edgecam.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgecam.detector.facts import ModelFacts

NAME = "models"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="list, add, show, remove and check detectors")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    one = actions.add_parser("list", help="all models with their speed here, accuracy and licence")
    one.add_argument("--measure", action="store_true", help="measure those whose speed is not known yet")
    one.add_argument("--json", action="store_true", help="as JSON")
    one.set_defaults(run=run_list)

    one = actions.add_parser("add", help="copy an .onnx file into the library, after a trial")
    one.add_argument("file", metavar="FILE", type=Path)
    one.add_argument("--name", metavar="NAME", help="what to call it (default: the file's name)")
    one.add_argument("--replace", action="store_true", help="overwrite a model of that name")
    one.set_defaults(run=run_add)

    one = actions.add_parser("show", help="everything that is known of a model")
    one.add_argument("model", metavar="NAME|FILE")
    one.add_argument("--json", action="store_true", help="the description as JSON, as a sidecar holds it")
    one.set_defaults(run=run_show)

    one = actions.add_parser("remove", help="delete one of your own models")
    one.add_argument("name", metavar="NAME")
    one.set_defaults(run=run_remove)

    one = actions.add_parser("check", help="what a file is taken for and why, how fast it is, and what it sees")
    one.add_argument("model", metavar="NAME|FILE")
    one.add_argument("--picture", metavar="FILE", type=Path, help="a photograph (default: one from the demo)")
    one.add_argument("--threads", type=positive_int, metavar="N", help="threads of the detector (default: cores − 1)")
    one.add_argument("--size", type=size_hw, metavar="WxH", help="size of the input, where the file leaves it open")
    one.add_argument("--json", action="store_true", help="the whole report as JSON")
    one.set_defaults(run=run_check)

    one = actions.add_parser("trial")  # started by edgecam itself; not in the help
    one.add_argument("options")
    one.set_defaults(run=run_trial)


def size_hw(text: str) -> tuple[int, int]:
    """An argparse type: "416x320" (width x height) → (320, 416); "320" → (320, 320)."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and 16 <= int(part) <= 8192 for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 416x320 (16 to 8192 pixels)")
    return int(parts[-1]), int(parts[0])


def run_list(args: argparse.Namespace) -> int:
    """Prints a table of all models."""
    from edgecam.detector.facts import facts_of
    from edgecam.detector.loading import passed

    records = model_records()
    facts = []
    for entry in model_library().entries():
        found = facts_of(entry, records)
        if args.measure and found.report is None and not found.problem:
            try:
                passed(entry.path, records)
                found = facts_of(entry, records)
            except ModelError as error:
                print(f"{entry.name}: {error}")
        facts.append(found)
    if args.json:
        print(json.dumps([_as_json(one) for one in facts], ensure_ascii=False, indent=2))
    elif not facts:
        print("No model is installed. `edgecam models add FILE.onnx` adds one.")
    else:
        rows = [("name", "classes", "size", "one frame here", "accuracy", "licence"), *(_row(one) for one in facts)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _row(facts: ModelFacts) -> tuple[str, ...]:
    if facts.problem:
        return (facts.entry.name, "-", "-", "cannot be used", facts.problem, "")
    classes = str(len(facts.description.labels)) if facts.description else "?"
    size = f"{facts.size_bytes / 1e6:.1f} MB {facts.precision}"
    return (
        facts.entry.name,
        classes,
        size,
        facts.speed or "not measured",
        facts.accuracy or "unknown",
        facts.licence or "unknown",
    )


def _as_json(facts: ModelFacts) -> dict[str, object]:
    return {
        "name": facts.entry.name,
        "path": str(facts.entry.path),
        "bundled": facts.entry.bundled,
        "problem": facts.problem,
        "bytes": facts.size_bytes,
        "precision": facts.precision,
        "classes": len(facts.description.labels) if facts.description else None,
        "ms_per_frame": round(facts.report.total_ms, 2) if facts.report else None,
        "input": list(facts.report.input_hw) if facts.report else None,
        "accuracy": facts.description.accuracy if facts.description else {},
        "licence": facts.licence,
    }


def run_add(args: argparse.Namespace) -> int:
    """Adds a model after a trial in a process of its own."""
    from edgecam.detector.loading import passed

    records = model_records()
    report = passed(args.file, records)
    entry = model_library().add(args.file, name=args.name, replace=args.replace)
    passed(entry.path, records)
    print(f"Added {entry.name}: {report.family}, {len(report.description['labels'])} classes, {entry.path}")
    print_questions(report)
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Prints what is known of one model."""
    from edgecam.detector.facts import facts_of
    from edgecam.detector.loading import passed

    records = model_records()
    entry = model_library().find(args.model)
    facts = facts_of(entry, records)
    if facts.problem:
        raise ModelError(facts.problem)
    if facts.description is None:
        passed(entry.path, records)
        facts = facts_of(entry, records)
    assert facts.description is not None
    if args.json:
        print(json.dumps(facts.description.to_dict(), ensure_ascii=False, indent=2))
        return 0
    given = facts.description.input
    size = f"{given.width}×{given.height}, fixed" if given.height else f"open, {given.sizes[0][1]}×{given.sizes[0][0]}"
    lines = [
        ("name", facts.description.name),
        ("file", f"{entry.path}, {facts.size_bytes / 1e6:.1f} MB, {facts.precision}"),
        ("from", "came with edgecam" if entry.bundled else "yours"),
        ("input", f"{size}, {given.layout}, {given.color}, {given.dtype}, {given.resize}"),
        ("decoder", facts.description.output.decoder.value),
        ("one frame here", facts.speed or "not measured (`edgecam models check`)"),
        *(_told("accuracy", facts.description.accuracy) if facts.accuracy else [("accuracy", "unknown")]),
        ("licence", facts.licence or "unknown"),
        *(
            line
            for key, value in facts.description.provenance.items()
            if key not in {"licence", "license"}
            for line in _told(key.replace("_", " "), value)
        ),
        ("classes", f"{len(facts.description.labels)}: {', '.join(facts.description.labels)}"),
    ]
    print_lines(lines)
    return 0


def _told(name: str, value: object) -> list[tuple[str, str]]:
    """Lines of a table for what a file says of itself, which may be nested: one for each of its parts."""
    if not isinstance(value, dict):
        return [(name, str(value))]
    return [(name if row == 0 else "", f"{key}: {_joined(part)}") for row, (key, part) in enumerate(value.items())]


def _joined(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    nested = any(isinstance(part, dict) for part in value.values())
    return ("; " if nested else ", ").join(f"{key} {_joined(part)}" for key, part in value.items())


def run_remove(args: argparse.Namespace) -> int:
    """Deletes one of the user's models."""
    entry = model_library().remove(args.name)
    print(f"Removed {entry.name} ({entry.path})")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Prints what a file was recognised as, its stages' times and the top detections on a photograph."""
    from edgecam.detector.loading import passed
    from edgecam.detector.recognition.recognition import UnknownOutputs

    entry = model_library().find(args.model)
    if args.picture is not None and not args.picture.is_file():
        raise UsageError(f"{args.picture}: there is no such picture.")
    with _photograph(args.picture) as (picture, shown):
        try:
            report = passed(
                entry.path, model_records(), threads=args.threads, input_hw=args.size, picture=picture, again=True
            )
        except UnknownOutputs as unknown:
            print_readings(entry.sidecar, unknown.recognition)
            raise
    if args.json:
        print(json.dumps(asdict(report), ensure_ascii=False, indent=2))
        return 0
    print_report(entry.path, report, shown)
    return 0


@contextmanager
def _photograph(given: Path | None) -> Iterator[tuple[Path, str]]:
    """The picture to run on and what to call it: the one that was given, else a frame of the demo."""
    if given is not None:
        yield given, str(given)
        return
    import cv2

    from edgecam import resources

    clip = resources.demo_clip()
    video = cv2.VideoCapture(str(clip))
    ok, image = video.read()
    video.release()
    if not ok:
        raise ModelError(f"{clip}: the demo cannot be read; give a photograph with --picture.")
    with tempfile.TemporaryDirectory(prefix="edgecam-") as folder:
        path = Path(folder) / "photograph.png"
        path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        yield path, "first frame of the demo"


def run_trial(args: argparse.Namespace) -> int:
    """What `detector.trial.try_out` starts."""
    from edgecam.detector.trial_process import run_trial as run

    return run(json.loads(args.options))
