"""`edgecam bench`: each model on this machine; `edgecam bench pipeline`: the whole program against its targets."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.commands.source_options import NO_MODEL, model_library, model_records, positive_float, positive_int
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edgecam.bench.figures import Figure
    from edgecam.bench.models import Case
    from edgecam.detector.model_library import ModelEntry
    from edgecam.gui.main_window import MainWindow

NAME = "bench"
FRAME_WH = (1280, 720)  # of the demo clip
PARTS = ("throughput", "slow", "view", "start", "soak")
DEFAULT_PARTS = PARTS[:-1]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    import argparse

    parser = subparsers.add_parser(NAME, help="measure how fast each model is here, or the whole program")
    parser.add_argument("--model", metavar="NAME|FILE", action="append", help="only this model; may be repeated")
    parser.add_argument(
        "--threads", type=_numbers, metavar="N,N", help="numbers of threads (default: 1, cores − 1 and cores)"
    )
    parser.add_argument("--all-sizes", action="store_true", help="each input size that a model was measured at")
    parser.add_argument(
        "--rounds", type=positive_int, default=8, metavar="N", help="turns of half a second per case (default: 8)"
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE ('-' for the output)")
    parser.add_argument("--picture", metavar="FILE", help="also draw speed against accuracy (png, jpg)")
    parser.add_argument("--compare", metavar="FILE", help="compare with what an earlier run wrote with --json")
    parser.set_defaults(run=run_models)
    kinds = parser.add_subparsers(dest="kind", metavar="[pipeline]")
    pipeline = kinds.add_parser(
        "pipeline", help="the whole program with its window: detections, picture, memory, processor time, start"
    )
    pipeline.add_argument("--model", metavar="NAME|FILE", help="a model's name or an .onnx file")
    pipeline.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of the detector (default: cores − 1)"
    )
    pipeline.add_argument(
        "--duration", type=positive_float, metavar="S",
        help="seconds with the slow detector, or of the soak, over which memory is watched (default: 180)",
    )  # fmt: skip
    pipeline.add_argument("--quick", action="store_true", help="a glance of half a minute: the figures are rough")
    pipeline.add_argument(
        "--only", choices=PARTS, action="append", help="only this part; may be repeated (soak: only when asked for)"
    )
    pipeline.add_argument(
        "--platform", metavar="NAME", help="Qt's platform, such as offscreen; default: the display that is there"
    )
    pipeline.add_argument("--json", metavar="FILE", help="also write the figures to FILE ('-' for the output)")
    pipeline.add_argument("--compare", metavar="FILE", help="compare with what an earlier run wrote with --json")
    pipeline.add_argument("--started-at", type=float, help=argparse.SUPPRESS)
    pipeline.set_defaults(run=run_pipeline)


def run_models(args: argparse.Namespace) -> int:
    """Prints a table of all cases.

    Raises:
        EdgecamError: a model cannot be run, or a file not be read or written.
    """
    import cv2

    from edgecam import resources
    from edgecam.bench.loop_camera import sample_frames
    from edgecam.bench.machine import describe_machine
    from edgecam.bench.models import measure_models
    from edgecam.bench.models_picture import write_picture
    from edgecam.bench.models_report import comparison, models_table, read_results, to_json

    earlier = read_results(Path(args.compare)) if args.compare else None
    cv2.setNumThreads(1)  # as in the window
    machine = describe_machine()
    images = sample_frames(resources.demo_clip(), 16)
    results = measure_models(_cases(args), images, rounds=args.rounds, say=_say)
    _clear_line()
    title = f"edgecam {machine['edgecam']} on {machine['processor']}, {machine['cores']} cores"
    if args.json != "-":
        print(f"{title}; frames of 1280 × 720; load {machine['load_average']}")
        print(models_table(results))
    if args.json:
        write_text(args.json, to_json(machine, results) + "\n")
    if args.picture:
        write_picture(Path(args.picture), results, title)
    if earlier and args.json != "-":
        print(f"\n{comparison(results, earlier[1], earlier[0], machine)}")
    return 0


def _cases(args: argparse.Namespace) -> list[Case]:
    """Each model with each number of threads, the default model first."""
    from edgecam.bench.machine import usable_cores
    from edgecam.detector.session import default_threads

    library = model_library()
    default = library.find(args.model[0]) if args.model else library.default()
    entries = [library.find(name) for name in args.model] if args.model else library.entries()
    entries.sort(key=lambda entry: entry.path != default.path)
    threads = args.threads or sorted({1, default_threads(), usable_cores()})
    return cases_of(entries, threads, all_sizes=args.all_sizes)


def cases_of(entries: Sequence[ModelEntry], threads: Sequence[int], *, all_sizes: bool) -> list[Case]:
    """Each model with each number of threads, at its own size or at each one it was measured at.

    Raises:
        ModelError: a stranger's does not pass its trial, or one cannot be loaded.
    """
    from edgecam.bench.models import Case
    from edgecam.detector.detector import Detector
    from edgecam.detector.loading import passed
    from edgecam.detector.preprocess import choose_input_hw

    cases, records = [], model_records()
    for entry in entries:
        if not entry.bundled:
            passed(entry.path, records)
        sizes: list[tuple[int, int] | None] = [None]
        if all_sizes:
            spec = Detector.of(entry, threads=1).description.input
            # Sizes that come to the same for frames of this shape are one case.
            shapes = {choose_input_hw(spec, FRAME_WH, size): size for size in reversed(spec.sizes)}
            sizes = [*reversed(shapes.values())]
            for size in () if entry.bundled else sizes:
                passed(entry.path, records, input_hw=size)
        cases += [Case(entry, count, size) for size in sizes for count in threads]
    return cases


def _numbers(text: str) -> list[int]:
    """An argparse type: whole numbers above 0, with commas between."""
    return sorted({positive_int(part) for part in text.split(",")})


def run_pipeline(args: argparse.Namespace) -> int:
    """Prints the figures; returns 0 when each keeps its target, else 1.

    Raises:
        EdgecamError: something cannot be measured.
    """
    if args.platform:
        os.environ["QT_QPA_PLATFORM"] = args.platform
    try:
        from edgecam.gui.environment import remove_foreign_plugins, require_display

        remove_foreign_plugins()
        require_display("on none: edgecam bench pipeline --platform offscreen")
        from edgecam.gui.bench_window import bench_window
    except ImportError as error:
        raise UsageError(f"The window cannot be measured: PySide6 cannot be imported ({error}).") from error
    if args.started_at is not None:
        return _time_start(args)
    from edgecam.bench.figures import figures_comparison, read_figures
    from edgecam.bench.machine import describe_machine
    from edgecam.bench.pipeline import PipelineBench, start_figures
    from edgecam.bench.plan import Plan
    from edgecam.detector.loading import passed
    from edgecam.detector.session import default_threads

    earlier = read_figures(Path(args.compare)) if args.compare else None
    library = model_library()
    model = library.find(args.model) if args.model else library.default()
    threads = args.threads or default_threads()
    if not model.bundled:
        passed(model.path, model_records(), threads=threads)
    plan = Plan(
        model, threads,
        start_options=(
            "--model", str(model.path), "--threads", str(threads),
            *(("--platform", args.platform) if args.platform else ()),
        ),
    )  # fmt: skip
    if args.quick:
        plan = replace(plan, rounds=2, segment_s=0.8, duration_s=6.0, view_s=3.0, starts=1)
    if args.duration is not None:
        plan = replace(plan, duration_s=args.duration)
    parts = args.only or DEFAULT_PARTS
    figures: list[Figure] = []
    with bench_window() as window:
        bench = PipelineBench(window, plan, _say)
        for part, measure in (
            ("throughput", bench.throughput),
            ("slow", bench.slow_detector),
            ("view", bench.view_alone),
            ("soak", bench.soak),
        ):
            if part in parts:
                figures += measure()
    if "start" in parts:
        figures += start_figures(plan, _say)
    _report(figures, model.name, threads, args.json)
    if earlier and args.json != "-":
        print(f"\n{figures_comparison(figures, earlier[1], earlier[0], describe_machine())}")
    return 0 if all(figure.met is not False for figure in figures) else 1


def _report(figures: Sequence[Figure], model: str, threads: int, target: str | None) -> None:
    from edgecam.bench.figures import figures_table
    from edgecam.bench.machine import describe_machine

    machine = describe_machine()
    _clear_line()
    if target != "-":
        print(f"edgecam {machine['edgecam']} on {machine['processor']}, {machine['cores']} cores; "
              f"{model}, {threads} thread{'s' if threads > 1 else ''}; load {machine['load_average']}")  # fmt: skip
        print(figures_table(figures))
        for figure in figures:
            if figure.note:
                print(f"  {figure.key}: {figure.note}")
    if target is not None:
        text = json.dumps(
            {"machine": machine, "model": model, "threads": threads, "figures": [f.to_json() for f in figures]},
            indent=2, ensure_ascii=False,
        )  # fmt: skip
        write_text(target, text + "\n")


def write_text(target: str, text: str) -> None:
    """Writes to a file, or to the output for "-".

    Raises:
        UsageError: it cannot be written.
    """
    if target == "-":
        print(text, end="")
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}).") from error


def _time_start(args: argparse.Namespace) -> int:
    """In the process that is timed: prints its times as JSON."""
    from edgecam.gui.bench_window import time_start

    imported_at = time.monotonic()

    def choose(window: MainWindow) -> None:
        window.models.choose(args.model or "")
        window.cameras.start("demo")

    painted_at, detected_at = time_start(choose)
    times = {
        "imports_s": imported_at - args.started_at,
        "picture_s": painted_at - imported_at,
        "detection_s": None if detected_at is None or args.model == NO_MODEL else detected_at - imported_at,
    }
    print(json.dumps(times))
    return 0


def _clear_line() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    """Progress, on one line of a terminal; silent elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text} …", end="", file=sys.stderr, flush=True)
