"""`edgecam fit`: which model, input size and number of threads suit this machine and a wish."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgecam.commands.source_options import model_library, positive_float, positive_int

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from edgecam.bench.models import CaseResult
    from edgecam.fit.choice import Choice, Wish
    from edgecam.fit.watch import Moment

NAME = "fit"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="find the model, input size and threads that suit this machine")
    add = parser.add_argument
    add("source", nargs="?", default="demo", metavar="SOURCE", help="what to watch with --watch (default: demo)")
    add("--at-least", type=positive_float, default=30.0, metavar="N", help="detections per second (default: 30)")
    add("--cpu", type=positive_float, metavar="P", help="at most P %% of the processor (100: all cores)")
    add("--below", type=positive_float, metavar="C", help="with --watch: step down when the processor reaches C °C")
    add("--threads", type=positive_int, metavar="N", help="only with so many threads (default: 1 to cores − 1)")
    add("--rounds", type=positive_int, default=4, metavar="N", help="turns of half a second per case (default: 4)")
    add("--watch", type=positive_float, metavar="S", help="then run for S seconds, stepping down and up as needed")
    add("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=run, loop=True, realtime=True, fps=None)


def run(args: argparse.Namespace) -> int:
    """Prints what was measured and chosen; returns 1 when nothing keeps the wish.

    Raises:
        EdgecamError: no model, or the source fails.
    """
    import cv2

    from edgecam import resources
    from edgecam.bench.loop_camera import sample_frames
    from edgecam.bench.machine import usable_cores
    from edgecam.bench.models import measure_models
    from edgecam.bench.models_report import models_table
    from edgecam.commands.bench import cases_of
    from edgecam.detector.session import default_threads
    from edgecam.fit.choice import Wish, choose

    cv2.setNumThreads(1)
    cores = usable_cores()
    threads = [args.threads] if args.threads else sorted({1, max(1, cores // 2), default_threads()})
    library = model_library()
    entries = library.entries() or [library.default()]
    cases = cases_of(entries, threads, all_sizes=True)
    wish = Wish(args.at_least, args.cpu, args.below)
    results = measure_models(cases, sample_frames(resources.demo_clip(), 16), rounds=args.rounds)
    choice = choose(results, wish, cores=cores)
    if not args.json:
        print(models_table(results))
        print(f"\n{choice.why}")
        print(f"steps: {' → '.join(step_name(choice.ladder, i, choice.index) for i in range(len(choice.ladder)))}")
    moments: list[Moment] = []
    if args.watch:
        moments = _watch(args, wish, choice, {case.model: case.path for case in cases})
    if args.json:
        print(json.dumps({
            "why": choice.why, "fulfilled": choice.fulfilled, "chosen": choice.case.to_json(),
            "ladder": [case.to_json() for case in choice.ladder], "cases": [result.to_json() for result in results],
            "time_line": [asdict(moment) for moment in moments],
        }, indent=2, ensure_ascii=False))  # fmt: skip
    return 0 if choice.fulfilled else 1


def step_name(ladder: Sequence[CaseResult], index: int, chosen: int) -> str:
    """A step in words; the chosen one in brackets."""
    from edgecam.fit.choice import name

    words = name(ladder[index])
    return f"[{words}]" if index == chosen else words


def _watch(args: argparse.Namespace, wish: Wish, choice: Choice, paths: dict[str, Path]) -> list[Moment]:
    from edgecam.commands.source_options import camera_maker
    from edgecam.fit.watch import FitWatch

    def say(moment: Moment) -> None:
        warm = "" if moment.temperature_c is None else f"  {moment.temperature_c:.0f} °C"
        step = {-1: "  ↓ ", 0: "", 1: "  ↑ "}[moment.step] + moment.reason
        print(
            f"{moment.at_s:5.0f} s  {moment.case}  {moment.per_second:.1f}/s  model {moment.model_ms:.1f} ms  "
            f"CPU {moment.cpu_percent:.0f} %{warm}{step}",
            flush=True,
        )

    watch = FitWatch(choice, wish, paths)
    return watch.run(camera_maker(args.source, args), args.watch, (lambda _: None) if args.json else say)
