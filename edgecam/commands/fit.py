"""`edgecam fit`: which model, input size, precision and number of threads suit this machine and a wish."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from edgecam.commands.source_options import camera_maker, model_library, model_records, positive_float, positive_int

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.bench.models import Case, CaseResult
    from edgecam.detector.detector import Detector
    from edgecam.detector.model_library import ModelEntry
    from edgecam.fit.burden import Burden
    from edgecam.fit.choice import Choice, Wish
    from edgecam.fit.keeper import Moment

NAME = "fit"
QUOTA_PERCENT = 25.0
LOAD_S = 0.3  # about what loading a case takes; only for the share of the work that is done


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="find the model, input size and threads that suit this machine")
    add = parser.add_argument
    add("source", nargs="?", default="demo", metavar="SOURCE", help="what to watch with --watch (default: demo)")
    add("--at-least", type=positive_float, default=30.0, metavar="N", help="detections per second (default: 30)")
    add("--camera-rate", action="store_true", help="as many detections as SOURCE gives pictures, instead of --at-least")
    add("--cpu", type=positive_float, metavar="P", help="at most P %% of the processor (100: all cores)")
    add("--below", type=positive_float, metavar="C", help="with --watch: step down when the processor reaches C °C")
    add("--threads", type=positive_int, metavar="N", help="only with so many threads (default: 1 to cores − 1)")
    add("--rounds", type=positive_int, default=4, metavar="N", help="turns of half a second per case (default: 4)")
    add("--watch", type=positive_float, metavar="S", help="then run for S seconds, stepping down and up as needed")
    add("--burden", choices=("busy", "quota"),
        help="with --watch: in the middle third of the time, a busy process on every core, or a CPU quota by control "
        "group (Linux, as root)")  # fmt: skip
    add("--quota", type=positive_float, metavar="P",
        help=f"with --burden quota: percent of one core that edgecam gets (default: {QUOTA_PERCENT:.0f})")  # fmt: skip
    add("--busy", type=positive_int, metavar="N",
        help="with --burden busy: so many processes (default: one on every core)")  # fmt: skip
    add("--json", action="store_true", help="as JSON, for programs")
    add("--offered", type=positive_float, help=argparse.SUPPRESS)  # the window knows its camera's rate
    add("--progress", action="store_true", help=argparse.SUPPRESS)  # for the window: on stderr, one JSON per line
    parser.set_defaults(run=run, loop=True, realtime=True, fps=None)


def run(args: argparse.Namespace) -> int:
    """Prints what was measured and chosen; returns 1 when nothing keeps the wish.

    Raises:
        EdgecamError: no model, or the source fails; options that do not go together.
    """
    _check_options(args)
    import cv2

    from edgecam.bench.machine import usable_cores
    from edgecam.bench.models_report import models_table
    from edgecam.commands.bench import cases_of
    from edgecam.detector.session import default_threads
    from edgecam.fit.choice import Wish, choose

    cv2.setNumThreads(1)
    cores = usable_cores()
    threads = [args.threads] if args.threads else sorted({1, max(1, cores // 2), default_threads()})
    library = model_library()
    entries = library.entries() or [library.default()]
    offered = _rate_of_source(args) if args.camera_rate else args.offered
    wish = Wish(offered if args.camera_rate else args.at_least, args.cpu, args.below, offered)
    cases = cases_of(entries, threads, all_sizes=True)
    results = measure(cases, args.rounds, tell if args.progress else lambda *_: None)
    choice = choose(results, wish, cores=cores)
    if not args.json:
        print(models_table(results))
        print(f"\n{choice.why}")
        print(f"steps: {' → '.join(step_name(choice.ladder, i, choice.index) for i in range(len(choice.ladder)))}")
    moments: list[Moment] = []
    if args.watch:
        moments = _watch(args, wish, choice, {entry.name: entry for entry in entries})
    if args.json:
        print(json.dumps({
            "wish": asdict(wish), "why": choice.why, "fulfilled": choice.fulfilled, "chosen": choice.case.to_json(),
            "ladder": [case.to_json() for case in choice.ladder], "index": choice.index,
            "cases": [result.to_json() for result in results], "time_line": [asdict(moment) for moment in moments],
        }, indent=2, ensure_ascii=False))  # fmt: skip
    return 0 if choice.fulfilled else 1


def _check_options(args: argparse.Namespace) -> None:
    """What only counts together with another option must not be asked for in vain.

    Raises:
        UsageError: it was.
    """
    from edgecam.errors import UsageError

    if args.burden and not args.watch:
        raise UsageError("--burden acts in the middle third of --watch: add --watch SECONDS, for example --watch 60.")
    for option, value, burden in (("--quota", args.quota, "quota"), ("--busy", args.busy, "busy")):
        if value is not None and args.burden != burden:
            raise UsageError(f"{option} only counts with --burden {burden}.")


def measure(cases: Sequence[Case], rounds: int, say: Callable[[str, float], None]) -> list[CaseResult]:
    """Measures the cases in turns, those with equally many threads together: a small board has not room for all.

    Args:
        say: told what is under way and which share of the work is done, 0 to 1.
    """
    from edgecam import resources
    from edgecam.bench.loop_camera import sample_frames
    from edgecam.bench.models import SLICE_S, measure_models

    images = sample_frames(resources.demo_clip(), 16)
    whole = len(cases) * (LOAD_S + rounds * SLICE_S)
    done = 0.0

    def step(text: str) -> None:
        nonlocal done
        say(text, min(1.0, done / whole))
        done += LOAD_S if text.startswith("loading") else len(group) * SLICE_S

    results: list[CaseResult] = []
    for count in sorted({case.threads for case in cases}):
        group = [case for case in cases if case.threads == count]
        results += measure_models(group, images, rounds=rounds, say=step)
    return [replace(result, ratio=results[0].median_ms / result.median_ms) for result in results]


def tell(text: str, share: float) -> None:
    """What is under way, for the window that started this."""
    print(json.dumps({"text": text, "share": share}), file=sys.stderr, flush=True)


def _rate_of_source(args: argparse.Namespace) -> float:
    """Pictures per second that the source gives, as it says itself.

    Raises:
        CameraError: it cannot be opened.
        UsageError: it does not say.
    """
    from edgecam.errors import UsageError

    camera = camera_maker(args.source, args)()
    try:
        camera.open()
        fps = camera.mode.fps if camera.mode else None
    finally:
        camera.close()
    if not fps:
        raise UsageError(f"{camera.name} does not say how many pictures per second it gives: use --at-least.")
    return float(fps)


def step_name(ladder: Sequence[CaseResult], index: int, chosen: int) -> str:
    """A step in words; the chosen one in brackets."""
    from edgecam.fit.choice import name

    words = name(ladder[index])
    return f"[{words}]" if index == chosen else words


def _watch(args: argparse.Namespace, wish: Wish, choice: Choice, entries: dict[str, ModelEntry]) -> list[Moment]:
    from edgecam.detector.loading import load_detector
    from edgecam.fit.watch import FitWatch

    records = model_records()

    def say(moment: Moment) -> None:
        warm = "" if moment.temperature_c is None else f"  {moment.temperature_c:.0f} °C"
        burden = f"  [{moment.burden}]" if moment.burden else ""
        step = {-1: "  ↓ ", 0: "", 1: "  ↑ "}[moment.step] + moment.reason
        print(
            f"{moment.at_s:5.0f} s  {moment.case}  {moment.per_second:.1f}/s  model {moment.model_ms:.1f} ms  "
            f"CPU {moment.cpu_percent:.0f} %{warm}{burden}{step}",
            flush=True,
        )

    def load(case: CaseResult) -> Detector:
        return load_detector(entries[case.model], records, threads=case.threads, input_hw=case.input_hw)

    watch = FitWatch(choice, wish, load, _burden(args))
    return watch.run(camera_maker(args.source, args), args.watch, (lambda _: None) if args.json else say)


def _burden(args: argparse.Namespace) -> Burden | None:
    from edgecam.bench.machine import usable_cores
    from edgecam.fit.burden import BusyProcesses, CpuQuota

    if args.burden == "busy":
        return BusyProcesses(args.busy or usable_cores())
    return CpuQuota(args.quota or QUOTA_PERCENT) if args.burden == "quota" else None
