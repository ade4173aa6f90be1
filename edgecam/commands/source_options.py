"""The options that say what to look at and with which model; the same for window and headless twin."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from edgecam import resources
from edgecam.detector.model_library import ModelLibrary

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.base import Camera
    from edgecam.detector.records import Records

NO_MODEL = "none"


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """SOURCE, --model and how files are played."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="/dev/video0, a camera's stable id, a video, a picture, a folder of pictures, rtsp://… (UDP: rtspu://…), "
        "http://…, 'demo' or 'pattern'; without it: the camera used last, else the first one found, else the demo",
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="a model's name or an .onnx file; 'none' for none")
    parser.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of the detector (default: cores − 1)"
    )
    parser.add_argument(
        "--provider",
        metavar="NAME",
        help="what runs the model, as onnxruntime calls it (default: CPUExecutionProvider)",
    )
    parser.add_argument("--realtime", action="store_true", help="play a file at its own rate and skip what comes late")
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    parser.add_argument("--fps", type=positive_float, metavar="N", help="pictures per second of a folder of pictures")


def camera_maker(source: str, args: argparse.Namespace) -> Callable[[], Camera]:
    """What makes a new, unopened camera for `source` with the options of `args`; raises CameraError when called."""
    from edgecam.camera.opening import camera_for

    return lambda: camera_for(source, loop=args.loop, realtime=args.realtime, fps=args.fps)


def model_library() -> ModelLibrary:
    """The bundled models and those of the user."""
    return ModelLibrary(resources.models_folder(), Path(platformdirs.user_data_dir("edgecam", False)) / "models")


def model_records() -> Records:
    """What is remembered of models on this machine."""
    from edgecam import __version__
    from edgecam.detector.records import Records
    from edgecam.versions import installed_version

    made_by = f"edgecam {__version__}, onnxruntime {installed_version('onnxruntime')}"
    return Records(Path(platformdirs.user_cache_dir("edgecam", False)) / "models.json", made_by)


def positive_int(text: str) -> int:
    """An argparse type: a whole number above 0."""
    value = int(text) if text.isascii() and text.strip().isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return value


def positive_float(text: str) -> float:
    """An argparse type: a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


def fraction(text: str) -> float:
    """An argparse type: 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return value
