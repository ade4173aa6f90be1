"""`packaging/run` and its siblings, as far as they can be tried without installing anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def only_old_python(tmp_path: Path) -> dict[str, str]:
    """An environment whose only Python says that it is 3.9."""
    for tool in ("sh", "dirname", "readlink"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] || exit 1\necho "Python 3.9.2"\n')
    python.chmod(0o755)
    return {"PATH": str(tmp_path)}


@pytest.mark.parametrize("launcher", ["run", "test"])
def test_an_old_python_is_named(launcher: str, only_old_python: dict[str, str]) -> None:
    done = subprocess.run([PACKAGING / launcher], env=only_old_python, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; this machine has Python 3.9.2" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_python_at_all_is_said(only_old_python: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "python3").unlink()
    done = subprocess.run([PACKAGING / "run"], env=only_old_python, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "this machine has no Python" in done.stderr


def test_every_launcher_is_executable() -> None:
    for name in ("run", "test"):
        assert os.access(PACKAGING / name, os.X_OK), name
