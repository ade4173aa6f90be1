"""The command line: `edgecam [SOURCE]` opens the window; every other task is a command of its own."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from edgecam.commands import (
    average,
    bench,
    cameras,
    doctor,
    evaluate,
    export,
    fit,
    latency,
    models,
    run,
    selftest,
    train,
    window,
)
from edgecam.errors import CameraError, EdgecamError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The commands, in the order of `edgecam --help`. `window` is what `edgecam` without a command does.
COMMANDS = (window, run, cameras, models, bench, fit, latency, doctor, selftest, train, average, evaluate, export)

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_CAMERA = 3
EXIT_MODEL = 4
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _ShowVersions(argparse.Action):
    """Prints the versions; asked for only then, since looking them up takes a moment."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from edgecam.versions import version_lines

        print("\n".join(version_lines()))
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="edgecam", description=__doc__)
    parser.add_argument("--version", action=_ShowVersions, help="print the versions of edgecam and its parts, and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def with_default_command(argv: Sequence[str], commands: frozenset[str]) -> list[str]:
    """`edgecam /dev/video0` means `edgecam window /dev/video0`."""
    if argv and (argv[0] in commands or argv[0] in {"-h", "--help", "--version"}):
        return list(argv)
    return ["window", *argv]


def exit_code(error: EdgecamError) -> int:
    """What scripts can tell apart."""
    if isinstance(error, CameraError):
        return EXIT_CAMERA
    return EXIT_MODEL if isinstance(error, ModelError) else EXIT_ERROR


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    0 success, 1 failure, 2 wrong usage, 3 camera or file cannot be read, 4 model cannot be used, 130 interrupted.
    """
    # Before the first import of onnxruntime: its wheels report usage to their maker unless told not to.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # Nor does FFmpeg write to stderr beside the one line that says what is wrong; OpenCV reads this once.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # Without a handler Python prints warnings to standard error; what a user shall read is said once, as an error.
    logging.getLogger("edgecam").addHandler(logging.NullHandler())
    parser = build_parser()
    names = frozenset(command.NAME for command in COMMANDS)
    args = parser.parse_args(with_default_command(sys.argv[1:] if argv is None else argv, names))
    try:
        return int(args.run(args))
    except EdgecamError as error:
        print(f"edgecam: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`edgecam run … | head`): nothing is wrong with us.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def start() -> NoReturn:
    """The program's entry: runs `main` and leaves with its exit code."""
    code = main()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    if threading.active_count() > 1:
        # A thread that hangs in a driver or loads a model dies with the process. Python would stop it inside C++ code
        # instead, which aborts ("terminate called without an active exception").
        os._exit(code)
    sys.exit(code)
