"""`edgecam` in the bundle: the shell script before the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
PROGRAM = """#!/bin/sh
echo $$
printf '%s\\n' "$@"
exit 7
"""
SHELLS = [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)]


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import starter

    return starter


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A onedir in a folder with spaces and letters beyond ASCII; its program tells its id and its arguments."""
    folder = tmp_path / "My Kämera ü 'n' $HOME" / "edgecam"
    folder.mkdir(parents=True)
    (folder / "edgecam-program").write_text(PROGRAM)
    (folder / "edgecam-program").chmod(0o755)
    return folder


@pytest.fixture
def loader(tmp_path: Path) -> Path:
    """Stands in for the system's loader."""
    path = tmp_path / "ld-linux-aarch64.so.1"
    path.touch()
    return path


def started(*command: str | Path, **options: Any) -> tuple[int, str, str]:
    """The exit status, and what was printed, without the program's id, which has to be that of the command itself."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    output, errors = child.communicate(timeout=30)
    if output:
        number, _, output = output.partition("\n")
        assert int(number) == child.pid
    return child.returncode, output, errors


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_the_program_takes_its_place_with_the_same_arguments_and_status(
    starter: Any, bundle: Path, loader: Path, locale: str
) -> None:
    script = starter.write_starter(bundle, "aarch64", str(loader))
    done = started(script, "a b", "", "ü*$x", env=os.environ | {"LC_ALL": locale})
    assert done == (7, "a b\n\nü*$x\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_runs_it(starter: Any, bundle: Path, loader: Path, shell: str) -> None:
    script = starter.write_starter(bundle, "aarch64", str(loader))
    words = ["busybox", "sh"] if shell == "busybox" else [shell]
    assert started(*words, script.name, "x", cwd=bundle) == (7, "x\n", "")


def test_links_to_it_and_to_its_folder_find_the_program(
    starter: Any, bundle: Path, loader: Path, tmp_path: Path
) -> None:
    starter.write_starter(bundle, "aarch64", str(loader))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "edgecam").symlink_to(os.path.relpath(bundle / "edgecam", tmp_path / "bin"))
    (tmp_path / "link to it").symlink_to(tmp_path / "bin" / "edgecam")
    (tmp_path / "folder").symlink_to(bundle)
    assert started(tmp_path / "link to it") == (7, "\n", "")
    assert started(tmp_path / "folder" / "edgecam") == (7, "\n", "")
    found_by_name = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    assert started("sh", "-c", "exec edgecam", env=found_by_name) == (7, "\n", "")


@pytest.mark.parametrize(
    ("machine", "advice"), [("aarch64", "use the 64-bit Raspberry Pi OS"), ("x86_64", "aarch64 package")]
)
def test_without_the_loader_one_line_says_what_to_use(
    starter: Any, bundle: Path, tmp_path: Path, machine: str, advice: str
) -> None:
    script = starter.write_starter(bundle, machine, str(tmp_path / "no-loader"))
    status, output, errors = started(script, "--version")
    assert (status, output) == (1, "")
    assert errors.startswith(f"edgecam: this package is for {starter.SYSTEMS[machine]}, ")
    assert advice in errors
    assert errors.count("\n") == 1


def test_nothing_is_left_to_fill_in(starter: Any, bundle: Path) -> None:
    for machine in starter.SYSTEMS:
        text = starter.write_starter(bundle, machine, "/lib/ld").read_text().replace('"$@"', "")
        assert "@" not in text


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs binutils")
def test_the_loader_is_read_from_the_program(starter: Any) -> None:
    from elf import interpreter

    assert Path(interpreter(sys.executable)).exists()
    assert "/ld-" in interpreter(sys.executable)
