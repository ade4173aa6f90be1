"""One log: a rotating file that a user can find, and warnings on standard error."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)


def log_path() -> Path:
    """The log file, in the user's state folder (XDG on Linux)."""
    return Path(platformdirs.user_log_dir("edgecam", False)) / "edgecam.log"


def log_to_file() -> None:
    """Writes everything from INFO on to `log_path`; where that cannot be written, only to standard error."""
    root = logging.getLogger("edgecam")
    root.setLevel(logging.INFO)
    console = logging.StreamHandler()
    console.setLevel(logging.ERROR)
    console.setFormatter(logging.Formatter("edgecam: %(message)s"))
    root.addHandler(console)
    # On a full disk each line would bring a traceback to the terminal.
    logging.raiseExceptions = False
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError as error:
        root.warning("No log file: %s", error)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)


def log_unhandled() -> None:
    """Sends what nobody caught, in any thread, to the log instead of the terminal alone."""

    def from_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("Unexpected fault: %s", error, exc_info=(kind, error, trace))

    def from_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            log.critical(
                "Unexpected fault in %s: %s", args.thread.name if args.thread else "a thread", args.exc_value,
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )  # fmt: skip

    sys.excepthook = from_main
    threading.excepthook = from_thread
