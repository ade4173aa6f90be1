"""`edgecam [SOURCE]`: the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.commands.source_options import add_source_options
from edgecam.errors import UsageError

if TYPE_CHECKING:
    import argparse

NAME = "window"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="show a camera in a window (what `edgecam` alone does)")
    add_source_options(parser)
    parser.add_argument("--fullscreen", action="store_true", help="fill the screen with the picture")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Opens the window and returns when it is closed."""
    try:
        from edgecam.gui.application import run_window
    except ImportError as error:
        raise UsageError(
            f"The window needs PySide6, which cannot be imported here ({error}). "
            "Install it, or use `edgecam run SOURCE --headless`."
        ) from error
    return run_window(args)
