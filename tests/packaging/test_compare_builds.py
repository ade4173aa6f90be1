"""`packaging/compare-builds`, on a project whose build takes no time."""

from __future__ import annotations

import os
import shlex
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
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The checkout; its build is still to be written."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path / "a project"
    (folder / "packaging").mkdir(parents=True)
    shutil.copy(PACKAGING / "compare-builds", folder / "packaging")
    return folder


def compare(project: Path, hash_of: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    build = project / "packaging" / "build"
    build.write_text(BUILD.format(hash_of=hash_of))
    build.chmod(0o755)
    git = [*GIT, "-C", str(project)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "all"], check=True)
    command = [project / "packaging" / "compare-builds", *arguments]
    environment = os.environ | {"EDGECAM_ARM64_ROOT": str(project.parent / "root"), "PROJECT": str(project)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


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


def test_each_build_compiles_for_itself(project: Path) -> None:
    done = compare(
        project, 'test -e "$XDG_CACHE_HOME/cv2"; echo $?; mkdir "$XDG_CACHE_HOME"; touch "$XDG_CACHE_HOME/cv2"'
    )
    assert done.returncode == 0, done.stdout


def test_a_commit_made_meanwhile_is_in_neither_build(project: Path) -> None:
    commit = f'{shlex.join(GIT)} -C "$PROJECT" commit -q --allow-empty -m meanwhile; git log --format=%H | sha256sum'
    done = compare(project, commit)
    assert done.returncode == 0, done.stdout


def test_the_arm_build_starts_from_nothing_in_the_same_root(project: Path) -> None:
    left_over = project.parent / "root" / "build" / "edgecam" / "build" / "venv"
    left_over.mkdir(parents=True)
    seen = (
        'echo "$@"; test -e "$EDGECAM_ARM64_ROOT/build/edgecam"; echo $?; mkdir -p "$EDGECAM_ARM64_ROOT/build/edgecam"'
    )
    done = compare(
        project, f"{{ {seen}; }} | tee -a {shlex.quote(str(project.parent / 'seen'))} | sha256sum", "--arm64"
    )
    assert done.returncode == 0, done.stderr
    assert (project.parent / "seen").read_text() == "--arm64 --no-archives\n1\n" * 2


def test_other_options_are_refused(project: Path) -> None:
    done = compare(project, "echo 4567", "--system")
    assert done.returncode == 2
    assert "packaging/compare-builds --arm64" in done.stderr
