"""The OpenCV that is compiled for the bundle (`packaging/lean_opencv.py`), without compiling it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import lean_opencv

    return lean_opencv


@pytest.mark.parametrize("lock", sorted((PACKAGING / "locks").glob("linux-*.txt")), ids=lambda path: path.stem)
def test_the_source_is_of_the_version_of_the_wheels(lock: Path) -> None:
    found = [
        re.search(r"^opencv-python-headless==(\S+)", path.read_text(), re.MULTILINE)
        for path in (lock, PACKAGING / "locks" / "opencv-source.txt")
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0][1] == found[1][1]


def test_where_it_cannot_be_compiled_the_wheel_stays(
    lean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "lib/python3.11/site-packages/cv2/cv2.abi3.so"
    library.parent.mkdir(parents=True)
    library.write_text("of the wheel")

    def compiled(*arguments: object) -> Path:
        raise lean.CannotCompile("There is no compiler.")

    monkeypatch.setattr(lean, "compiled", compiled)
    lean.put_lean_cv2(tmp_path / "bin/python", lambda *words: pytest.fail(f"ran {words}"))
    assert library.read_text() == "of the wheel"
    assert "There is no compiler. So the bundle gets the OpenCV of the wheel" in capsys.readouterr().err


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What cmake wrote about its build."""
    (tmp_path / "modules/core").mkdir(parents=True)
    lines = (
        "Host:    Linux 6.1 x86_64",
        "Flags: -I/builder/tree/x",
        "numpy: /builder/env/lib/numpy",
        "FFMPEG:     YES",
    )
    (tmp_path / "modules/core/version_string.inc").write_text("".join(f'"  {line}\\n"\n' for line in lines))
    (tmp_path / "opencv_data_config.hpp").write_text('#define OPENCV_BUILD_DIR "/builder/tree/build"\n')
    return tmp_path


def test_no_folder_and_kernel_of_this_machine_is_in_the_library(lean: Any, build: Path) -> None:
    lean.forget_folders(build, Path("/builder/tree"), Path("/builder/env/bin/python"))
    text = (build / "modules/core/version_string.inc").read_text()
    assert "/builder" not in text
    assert "6.1" not in text
    assert len(text.splitlines()) == 4
    assert (build / "opencv_data_config.hpp").read_text() == '#define OPENCV_BUILD_DIR "./build"\n'


@pytest.mark.parametrize("name", ["cache", "my cache", "Zwischenablage für Bau", "a'b"])
def test_it_is_compiled_where_no_option_is_split(lean: Any, tmp_path: Path, name: str) -> None:
    cache = Path("/builder") / name / "edgecam-build"
    folder = lean.folder_to_compile_in(cache)
    assert (folder == cache) == (name == "cache")
    assert folder == cache or str(folder) == tempfile.gettempdir()


def test_the_environment_is_used_through_a_link_and_is_not_named(lean: Any, build: Path, tmp_path: Path) -> None:
    environment, work = tmp_path / "my checkout" / "venv", tmp_path / "work"
    library = environment / "lib/python3.11/site-packages/cv2/cv2.abi3.so"
    for path in (library, environment / "bin/python"):
        path.parent.mkdir(parents=True)
        path.touch()
    work.mkdir()
    python, linked = lean.linked_environment(work, environment / "bin/python", library)
    assert linked.samefile(library)
    assert python.samefile(environment / "bin/python")
    assert str(python).startswith(f"{work}/")
    description = build / "modules/core/version_string.inc"
    description.write_text(f"FFMPEG: YES\n{python}\n{environment}/lib\n{work}/x\n")
    lean.forget_folders(build, work, python)
    assert description.read_text() == "FFMPEG: YES\n./bin/python\n./lib\n./x\n"


def test_without_ffmpeg_it_is_not_taken(lean: Any, build: Path) -> None:
    description = build / "modules/core/version_string.inc"
    description.write_text(description.read_text().replace("YES", "NO"))
    with pytest.raises(lean.CannotCompile, match="FFmpeg"):
        lean.forget_folders(build, Path("/builder/tree"), Path("/builder/env/bin/python"))


@pytest.fixture
def ffmpeg(lean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's libraries 1.2.3, and an apt-get that has headers of the same."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg-deb")
    (tmp_path / "libs").mkdir()
    for name in lean.FFMPEG:
        (tmp_path / "libs" / f"lib{name}-abc.so.1.2.3").touch()
        root = tmp_path / "root" / name
        (root / f"usr/include/lib{name}").mkdir(parents=True)
        (root / f"usr/include/lib{name}/version.h").touch()
        (root / f"lib{name}.pc").write_text("Version: 1.2.3\n")
        (root / "DEBIAN").mkdir()
        control = (
            f"Package: lib{name}-dev\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: a\n"
        )
        (root / "DEBIAN/control").write_text(control)
        subprocess.run(["dpkg-deb", "-b", root, tmp_path / f"{name}.deb"], check=True, stdout=subprocess.DEVNULL)
    apt = tmp_path / "bin" / "apt-get"
    apt.parent.mkdir()
    apt.write_text(f"#!/bin/sh\ncp '{tmp_path}'/*.deb .\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    (tmp_path / "work").mkdir()
    return tmp_path


def test_the_wheels_ffmpeg_is_found_with_headers_of_its_version(lean: Any, ffmpeg: Path) -> None:
    described = lean.describe_ffmpeg(ffmpeg / "work", ffmpeg / "libs")
    text = (described / "libavcodec.pc").read_text()
    assert "Version: 1.2.3\n" in text
    links, include = (re.findall(rf"{flag}(\S+)", text)[0] for flag in ("-L", "-I"))
    assert Path(links, "libavcodec.so").resolve() == ffmpeg / "libs" / "libavcodec-abc.so.1.2.3"
    assert Path(include, "libavcodec", "version.h").is_file()


def test_headers_of_another_version_are_not_used(lean: Any, ffmpeg: Path) -> None:
    (ffmpeg / "libs" / "libavutil-abc.so.1.2.3").rename(ffmpeg / "libs" / "libavutil-abc.so.1.2.4")
    with pytest.raises(lean.CannotCompile, match=r"libavutil-abc\.so\.1\.2\.4"):
        lean.describe_ffmpeg(ffmpeg / "work", ffmpeg / "libs")
