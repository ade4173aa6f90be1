"""`edgecam selftest`: the whole pipeline once, without a window, on the bundled demo. Proves an installation."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from typing import TYPE_CHECKING

from edgecam.commands.source_options import positive_int
from edgecam.errors import EdgecamError, ModelError

if TYPE_CHECKING:
    import argparse

NAME = "selftest"

# What every detector of everyday things sees in the first seconds of the demo.
EXPECTED = ("person", "cat")
DEFAULT_FRAMES = 30


class SelfTestFailed(EdgecamError):
    """The pipeline ran, and did not see what is there."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="run the whole pipeline once on the demo and say what it saw")
    parser.add_argument("--model", metavar="NAME|FILE", help="a model's name or an .onnx file")
    parser.add_argument("--threads", type=positive_int, metavar="N", help="threads of the detector")
    parser.add_argument(
        "--frames", type=positive_int, default=DEFAULT_FRAMES, metavar="N", help="frames to detect in (default: 30)"
    )
    parser.add_argument("--window", action="store_true", help="also load Qt and paint one picture off screen")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the versions, what was seen and how fast; returns 0 when that is what the demo shows.

    Raises:
        ModelError: no model, or it cannot be run.
        CameraError: the demo cannot be read.
        SelfTestFailed: nothing was seen, or not what is there.
    """
    from edgecam.versions import version_lines

    for line in version_lines():
        print(line)
    started = time.monotonic()
    name, labels, results = _detect(args)
    seconds = time.monotonic() - started
    seen = Counter(found["label"] for result in results for found in result["detections"])
    print(f"model {name}: {len(results)} frames of the demo in {seconds:.1f} s, start included")
    print(f"seen: {', '.join(f'{label} {count}' for label, count in seen.most_common()) or 'nothing'}")
    _judge(seen, labels, frames=len(results), wanted=args.frames)
    if args.window:
        print(f"window: {_paint()}")
    print("selftest passed")
    return 0


def _detect(args: argparse.Namespace) -> tuple[str, tuple[str, ...], list[dict[str, list[dict[str, str]]]]]:
    """The model's name, its labels, and the result of each frame."""
    from edgecam import resources
    from edgecam.camera.opening import camera_for
    from edgecam.commands.source_options import model_library, model_records
    from edgecam.detector.loading import load_detector
    from edgecam.detector.selection import Selection
    from edgecam.headless import HeadlessRun, Limits

    library = model_library()
    entry = library.find(args.model) if args.model else library.default()
    detector = load_detector(entry, model_records(), threads=args.threads)
    detector.warm_up()
    defaults = detector.description.thresholds
    selection = Selection(score_threshold=defaults.score, iou_threshold=defaults.iou)
    lines = io.StringIO()
    headless = HeadlessRun(detector, selection, lines, keep_trying=False)
    # The clip as a file, not as the live source `demo`: every frame in turn, so that each run sees the same.
    if headless.run(lambda: camera_for(str(resources.demo_clip())), Limits(frames=args.frames)) != 0:
        raise KeyboardInterrupt
    return detector.name, tuple(detector.labels), [json.loads(line) for line in lines.getvalue().splitlines()]


def _judge(seen: Counter[str], labels: tuple[str, ...], *, frames: int, wanted: int) -> None:
    if frames < wanted:
        raise SelfTestFailed(f"selftest: {frames} of {wanted} frames came through the pipeline.")
    expected = [label for label in EXPECTED if label in labels]
    if not seen and not expected:
        raise ModelError("selftest: the model saw nothing in the demo; it may know none of the things shown there.")
    missing = [label for label in expected if seen[label] == 0]
    if missing:
        raise SelfTestFailed(f"selftest: the demo shows {', '.join(missing)}, which the detector did not see.")


def _paint() -> str:
    """Loads Qt as the window does, without a display, and paints; says which Qt that was."""
    try:
        from edgecam.gui.picture.paint_check import paint_icon
    except ImportError as error:
        raise SelfTestFailed(f"selftest: Qt cannot be loaded ({error}).") from error
    return f"Qt {paint_icon()} paints"
