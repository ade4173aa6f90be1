"""The log file, and a terminal that stays clean when it cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TWO_LINES = """
import logging
from edgecam.logs import log_path, log_to_file
log_to_file()
log = logging.getLogger("edgecam.test")
log.info("for the file")
log.error("for both")
print(log_path())
"""


def write_two_lines(home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    command = [sys.executable, "-c", TWO_LINES]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)


def test_everything_is_in_the_file_and_errors_on_the_terminal(tmp_path: Path) -> None:
    done = write_two_lines(tmp_path)
    path = tmp_path / "state" / "edgecam" / "log" / "edgecam.log"
    assert done.stdout == f"{path}\n"
    assert done.stderr == "edgecam: for both\n"
    lines = path.read_text().splitlines()
    assert [line.split(": ")[-1] for line in lines] == ["for the file", "for both"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_brings_no_traceback(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "edgecam" / "log"
    folder.mkdir(parents=True)
    (folder / "edgecam.log").symlink_to("/dev/full")
    assert write_two_lines(tmp_path).stderr == "edgecam: for both\n"


def test_a_folder_that_cannot_be_made_is_survived(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    done = write_two_lines(tmp_path)
    assert done.returncode == 0
    assert done.stderr == "edgecam: for both\n"
