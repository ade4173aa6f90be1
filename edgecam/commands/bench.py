"""`edgecam bench pipeline`: the whole program against its targets, on this machine."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgecam.commands.source_options import NO_MODEL, model_library, positive_float, positive_int
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edgecam.bench.figures import Figure

NAME = "bench"
PARTS = ("throughput", "slow", "view", "start")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    import argparse

    parser = subparsers.add_parser(NAME, help="measure this machine and this program")
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    pipeline = kinds.add_parser(
        "pipeline", help="the whole program with its window: detections, picture, memory, processor time, start"
    )
    pipeline.add_argument("--model", metavar="NAME|FILE", help="a model's name or an .onnx file")
    pipeline.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of the detector (default: cores − 1)"
    )
    pipeline.add_argument(
        "--duration", type=positive_float, metavar="S",
        help="seconds with the slow detector, over which memory is watched (default: 180)",
    )  # fmt: skip
    pipeline.add_argument("--quick", action="store_true", help="a glance of half a minute: the figures are rough")
    pipeline.add_argument("--only", choices=PARTS, action="append", help="measure only this part; may be repeated")
    pipeline.add_argument(
        "--platform", metavar="NAME", help="Qt's platform, such as offscreen; default: the display that is there"
    )
    pipeline.add_argument("--json", metavar="FILE", help="also write the figures to FILE ('-' for the output)")
    pipeline.add_argument("--started-at", type=float, help=argparse.SUPPRESS)
    pipeline.set_defaults(run=run_pipeline)


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
        require_display()
        from edgecam.gui.bench_window import bench_window
    except ImportError as error:
        raise UsageError(f"The window cannot be measured: PySide6 cannot be imported ({error}).") from error
    if args.started_at is not None:
        return _time_start(args)
    from edgecam.bench.pipeline import PipelineBench, Plan, start_figures
    from edgecam.detector.session import default_threads

    library = model_library()
    model = library.find(args.model) if args.model else library.default()
    threads = args.threads or default_threads()
    plan = Plan(
        model.path, threads,
        start_options=(
            "--model", str(model.path), "--threads", str(threads),
            *(("--platform", args.platform) if args.platform else ()),
        ),
    )  # fmt: skip
    if args.quick:
        plan = replace(plan, rounds=2, segment_s=0.8, duration_s=6.0, view_s=3.0, starts=1)
    if args.duration is not None:
        plan = replace(plan, duration_s=args.duration)
    parts = args.only or PARTS
    figures: list[Figure] = []
    with bench_window() as window:
        bench = PipelineBench(window, plan, _say)
        for part, measure in (
            ("throughput", bench.throughput), ("slow", bench.slow_detector), ("view", bench.view_alone),
        ):  # fmt: skip
            if part in parts:
                figures += measure()
    if "start" in parts:
        figures += start_figures(plan, _say)
    _report(figures, model.name, threads, args.json)
    return 0 if all(figure.met is not False for figure in figures) else 1


def _report(figures: Sequence[Figure], model: str, threads: int, target: str | None) -> None:
    from edgecam.bench.figures import figures_table
    from edgecam.bench.machine import describe_machine

    machine = describe_machine()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
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

    def choose(window: object) -> None:
        window.models.choose(args.model or "")  # type: ignore[attr-defined]
        window.cameras.start("demo")  # type: ignore[attr-defined]

    painted_at, detected_at = time_start(choose)
    times = {
        "imports_s": imported_at - args.started_at,
        "picture_s": painted_at - imported_at,
        "detection_s": None if detected_at is None or args.model == NO_MODEL else detected_at - imported_at,
    }
    print(json.dumps(times))
    return 0


def _say(text: str) -> None:
    """Progress, on one line of a terminal; silent elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text} …", end="", file=sys.stderr, flush=True)
