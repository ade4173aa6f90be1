"""What the standalone program runs."""

import os


def use_utf8() -> None:
    """In the locale C, Qt would print five lines about it at every start."""
    if (os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "C") in ("C", "POSIX"):
        os.environ["LC_ALL"] = "C.UTF-8"


if __name__ == "__main__":
    use_utf8()
    from edgecam.cli import start

    start()
