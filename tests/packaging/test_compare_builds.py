"""`packaging/compare-builds`, on a project whose build takes no time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
BUILD = """#!/bin/sh
cd "$(dirname "$0")/.."
mkdir dist
echo "0123  edgecam/constant" > dist/edgecam.sha256
echo "$({hash_of}) edgecam/program" >> dist/edgecam.sha256
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The checkout; its build is still to be written."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path / "a project"
    (folder / "packaging").mkdir(parents=True)
    shutil.copy(PACKAGING / "compare-builds", folder / "packaging")
    return folder


def compare(project: Path, hash_of: str) -> subprocess.CompletedProcess[str]:
    build = project / "packaging" / "build"
    build.write_text(BUILD.format(hash_of=hash_of))
    build.chmod(0o755)
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "all"], check=True)
    command = [project / "packaging" / "compare-builds"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_builds_that_are_the_same_are_counted(project: Path) -> None:
    done = compare(project, "echo 4567")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "edgecam: both builds have the same 2 files\n"


def test_a_build_that_depends_on_its_folder_is_found_out(project: Path) -> None:
    done = compare(project, "pwd | sha256sum")
    assert done.returncode == 1
    assert "edgecam/program" in done.stdout
    assert "+0123" not in done.stdout
    assert "the builds differ" in done.stderr
    assert not (project / "build" / "compare").exists()
