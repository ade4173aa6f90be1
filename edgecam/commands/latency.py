"""`edgecam latency`: how old the picture on the screen is, from light to light."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from edgecam.commands.source_options import camera_maker, positive_float
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edgecam.latency.matching import Delay

NAME = "latency"
PARTS = (
    ("screen", "screen, air, exposure", "screen_ms"),
    ("driver", "camera and driver", "driver_ms"),
    ("program", "edgecam, until painted", "program_ms"),
    ("total", "in all", "total_ms"),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        NAME, help="measure the delay from light to light: the screen flashes, the camera looks at it"
    )
    parser.add_argument("source", metavar="SOURCE", help="the camera that looks at the screen, such as /dev/video0")
    parser.add_argument(
        "--duration", type=positive_float, default=20.0, metavar="S", help="seconds of flashing (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.add_argument(
        "--platform", metavar="NAME", help="Qt's platform, such as offscreen; default: the display that is there"
    )
    parser.set_defaults(run=run, loop=False, realtime=True, fps=None)


def run(args: argparse.Namespace) -> int:
    """Flashes, watches, and prints the delay's distribution and its parts.

    Raises:
        CameraError: the camera cannot be used, or does not see the screen flash.
        UsageError: there is no display, or no PySide6.
    """
    if args.platform:
        os.environ["QT_QPA_PLATFORM"] = args.platform
    try:
        from edgecam.gui.environment import remove_foreign_plugins, require_display

        remove_foreign_plugins()
        require_display("measure on the machine whose screen the camera sees")
        from edgecam.gui.application import make_application
        from edgecam.gui.latency_window import LatencyWindow
    except ImportError as error:
        raise UsageError(f"The latency cannot be measured: PySide6 cannot be imported ({error}).") from error
    make_camera = camera_maker(args.source, args)
    make_camera()  # a wrong address is said before a window opens
    app = make_application(["edgecam"])
    window = LatencyWindow()
    try:
        delays = window.measure(make_camera, args.duration)
    finally:
        window.close_down()
        app.processEvents()
    print(as_json(delays) if args.json else as_text(delays))
    return 0


def as_text(delays: Sequence[Delay]) -> str:
    """A table of the parts: median, 5 % and 95 %."""
    from edgecam.bench.figures import columns, number

    rows: list[tuple[str, ...]] = [("", "median ms", "5 %", "95 %")]
    for _, words, attribute in PARTS:
        rows.append((words, *(number(value) for value in _percentiles(delays, attribute))))
    return f"{len(delays)} flashes\n{columns(rows, right=(1, 2, 3))}"


def as_json(delays: Sequence[Delay]) -> str:
    parts = {}
    for key, _, attribute in PARTS:
        median, low, high = _percentiles(delays, attribute)
        parts[key] = {"median_ms": median, "p5_ms": low, "p95_ms": high}
    return json.dumps({"flashes": len(delays), **parts}, indent=2)


def _percentiles(delays: Sequence[Delay], attribute: str) -> tuple[float, float, float]:
    import numpy as np

    median, low, high = np.percentile([getattr(delay, attribute) for delay in delays], [50, 5, 95])
    return float(median), float(low), float(high)
