"""What is written in the headers of shared libraries, read with binutils.

Not with `ldd`: that is a shell script which starts the loader; under emulation 150 of them take a quarter of an hour.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def needed_by(library: Path | str) -> set[str]:
    """The names of the libraries that a library or program wants loaded with it."""
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", _dynamic_section(library)))


def soname(library: Path | str) -> str:
    """The name under which others want it."""
    name = re.search(r"\(SONAME\).*\[(.+)\]", _dynamic_section(library))
    assert name is not None, library
    return name[1]


def interpreter(program: Path | str) -> str:
    """The loader that a program asks for."""
    command = ["readelf", "--wide", "--program-headers", str(program)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name = re.search(r"\[.*: (/.+)\]", shown)
    assert name is not None, program
    return name[1]


def symbols(library: Path | str, which: str) -> list[str]:
    """Its dynamic symbols.

    Args:
        which: `--defined-only` or `--undefined-only`.
    """
    listed = subprocess.run(["nm", "-D", which, str(library)], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1].split("@")[0] for line in listed.splitlines()]


def _dynamic_section(library: Path | str) -> str:
    command = ["readelf", "--wide", "--dynamic", str(library)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
