"""The stand-ins for libraries that the bundle does not use (`packaging/stubs.py`)."""

from __future__ import annotations

import ctypes
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("as", "ld", "nm", "readelf")), reason="needs binutils"
)


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import stubs

    return stubs


@pytest.fixture
def library(stubs: Any, tmp_path: Path) -> Path:
    """A library with a name and one function, as one of a wheel."""
    path = tmp_path / "libopenblas-abc.so"
    source, compiled = tmp_path / "full.s", tmp_path / "full.o"
    source.write_text("".join(f".globl {name}\n{name}: .long 0\n" for name in ("dgesv_", "unused_")))
    subprocess.run(["as", "-o", compiled, source], check=True)
    subprocess.run(["ld", "-shared", "-soname", "libopenblas-abc.so", "-o", path, compiled], check=True)
    return path


def test_icu_data_is_loaded_under_its_old_name_and_is_empty(stubs: Any, library: Path) -> None:
    stubs.assemble(library, stubs.ICU_DATA.format(symbol="icudt73_dat"))
    assert stubs.symbols(library, "--defined-only") == ["icudt73_dat"]
    dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    assert "[libopenblas-abc.so]" in dynamic
    header = (ctypes.c_ubyte * 48).in_dll(ctypes.CDLL(str(library)), "icudt73_dat")
    assert bytes(header[2:4]) == b"\xda\x27"
    assert bytes(header[12:16]) == b"ToCP"
    assert int.from_bytes(header[32:36], sys.byteorder) == 0  # entries


def test_a_call_into_a_stand_in_ends_the_program(stubs: Any, library: Path) -> None:
    stubs.assemble(library, stubs.functions_that_abort(["dgesv_", "sgesv_"], platform.machine()))
    call = f"import ctypes; ctypes.CDLL({str(library)!r}).dgesv_(); print('went on')"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, timeout=30)
    assert done.returncode == -6  # SIGABRT
    assert "went on" not in done.stdout
    assert done.stderr.startswith("edgecam: this bundle leaves out OpenCV's linear algebra")


def test_what_only_a_replaced_library_needed_is_dropped(stubs: Any, library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "libs"
    folder.mkdir()
    compiled = tmp_path / "empty.o"
    subprocess.run(["as", "-o", compiled, "/dev/null"], check=True)
    for name, needed in (("liba.so", ()), ("libb.so", ("liba.so",)), ("libc.so", ()), ("../user.so", ("libc.so",))):
        link = ["ld", "-shared", "--no-as-needed", "-soname", Path(name).name, "-o", folder / name, compiled]
        subprocess.run([*link, *(folder / other for other in needed)], check=True)
    library.unlink()
    assert stubs.drop_unneeded(folder, tmp_path) == ["libb.so", "liba.so"]
    assert [path.name for path in folder.iterdir()] == ["libc.so"]


def test_edgecam_calls_none_of_the_functions_that_are_left_out() -> None:
    """OpenCV functions that need LAPACK: a call would abort the standalone program."""
    forbidden = ("solve", "SVDecomp", "invert", "gemm", "eigen", "getPerspectiveTransform", "getAffineTransform", "PCA")
    edgecam = PACKAGING.parent / "edgecam"
    modules = [path for path in edgecam.rglob("*.py") if path.relative_to(edgecam).parts[0] != "training"]
    assert modules
    calls = [f"{path}: {name}" for path in modules for name in forbidden if f"cv2.{name}" in path.read_text("utf-8")]
    assert calls == []
