"""What the standalone program runs."""

import contextlib
import os
from pathlib import Path


def use_utf8() -> None:
    """In the locale C, Qt would print five lines about it at every start."""
    if (os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C") in ("C", "POSIX"):
        os.environ["LC_ALL"] = "C.UTF-8"


def use_short_name() -> None:
    """For `top`, `pgrep` and `killall`: the file is called edgecam-program, since `edgecam` is the script before it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("edgecam", encoding="ascii")


if __name__ == "__main__":
    use_utf8()
    use_short_name()
    from edgecam.cli import start

    start()
