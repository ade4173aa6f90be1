"""`edgecam run SOURCE --headless`: the same pipeline without a window; detections as JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecam.commands.source_options import (
    NO_MODEL,
    add_source_options,
    camera_maker,
    fraction,
    model_library,
    model_records,
    positive_float,
    positive_int,
)
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

NAME = "run"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="detect without a window; prints JSON lines")
    add_source_options(parser)
    parser.add_argument("--headless", action="store_true", help="no window, no display; needs SOURCE")
    parser.add_argument("--output", metavar="FILE", help="write the JSON lines there instead of to standard output")
    parser.add_argument("--score", type=fraction, metavar="S", help="lowest score (default: the model's own)")
    parser.add_argument("--iou", type=fraction, metavar="I", help="overlap above which a box is a repetition")
    parser.add_argument("--classes", metavar="A,B", help="only these classes, by name")
    parser.add_argument("--frames", type=positive_int, metavar="N", help="stop after N detected frames")
    parser.add_argument("--duration", type=positive_float, metavar="S", help="stop after S seconds")
    parser.add_argument("--wait", action="store_true", help="wait for a camera that is not there yet")
    parser.set_defaults(run=run, fullscreen=False)


def run(args: argparse.Namespace) -> int:
    """Runs until the source ends, a limit is reached or Ctrl-C is pressed."""
    if not args.headless:
        from edgecam.commands import window

        return window.run(args)
    if args.source is None:
        raise UsageError("`edgecam run --headless` needs a SOURCE, such as /dev/video0, video.mp4 or demo.")
    if args.model == NO_MODEL:
        raise UsageError("`edgecam run --headless` detects; it needs a model.")
    from edgecam.detector.loading import load_detector
    from edgecam.detector.selection import VIEWER_ONE_LABEL_IOU, Selection
    from edgecam.headless import HeadlessRun, Limits
    from edgecam.logs import log_to_file

    log_to_file()
    library = model_library()
    entry = library.find(args.model) if args.model else library.default()
    detector = load_detector(entry, model_records(), threads=args.threads, provider=args.provider)
    detector.warm_up()
    defaults = detector.description.thresholds
    selection = Selection(
        score_threshold=defaults.score if args.score is None else args.score,
        iou_threshold=defaults.iou if args.iou is None else args.iou,
        class_ids=class_ids_of(args.classes, detector.labels),
        one_label_iou=VIEWER_ONE_LABEL_IOU,
    )
    output = _open_output(args.output)
    try:
        headless = HeadlessRun(detector, selection, output, keep_trying=args.wait)
        return headless.run(camera_maker(args.source, args), Limits(frames=args.frames, duration_s=args.duration))
    finally:
        if output is not sys.stdout:
            output.close()


def class_ids_of(names: str | None, labels: Sequence[str]) -> frozenset[int] | None:
    """The ids of comma-separated class names; None for all.

    Raises:
        UsageError: a name that the model does not know.
    """
    if names is None:
        return None
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in labels]
    if unknown or not wanted:
        raise UsageError(f"The model has no class '{', '.join(unknown) or names}'; it knows: {', '.join(labels)}.")
    return frozenset(labels.index(name) for name in wanted)


def _open_output(path: str | None) -> Any:
    if path is None:
        return sys.stdout
    try:
        return Path(path).open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}).") from error
