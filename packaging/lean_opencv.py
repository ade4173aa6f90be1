"""OpenCV compiled from its own source with the four modules that edgecam uses, for the x86-64 bundle.

The wheel's cv2 is 66 MB there: all modules, Intel's IPP, and LAPACK. This one is 14 MB, takes the wheel's place in the
build's environment, and uses the FFmpeg libraries of that wheel. It is compiled once (7 minutes on two cores) and
kept in ~/.cache/edgecam-build. Where that cannot be done, the bundle gets the wheel's, and is larger.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import debian
from debian import say

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGING = Path(__file__).resolve().parent
SOURCE_LOCK = PACKAGING / "locks" / "opencv-source.txt"
MODULES = "core,imgproc,imgcodecs,videoio,python3"
TOOLS = {
    "cmake": "cmake",
    "ninja": "ninja-build",
    "c++": "g++",
    "nasm": "nasm",
    "dpkg-deb": "dpkg",
    "pkg-config": "pkgconf",
}
RUNTIME_PATH = "'$ORIGIN/../opencv_python_headless.libs'"
FFMPEG = ("avcodec", "avformat", "avutil", "swscale")
HEADERS = (*(f"lib{name}-dev" for name in FFMPEG), "libswresample-dev")
OFF = (
    "BUILD_SHARED_LIBS", "BUILD_TESTS", "BUILD_PERF_TESTS", "BUILD_DOCS", "BUILD_opencv_apps", "BUILD_JAVA",
    "WITH_1394", "WITH_ADE", "WITH_AVIF", "WITH_EIGEN", "WITH_FLATBUFFERS", "WITH_GSTREAMER", "WITH_GTK", "WITH_IPP",
    "WITH_ITT", "WITH_JASPER", "WITH_LAPACK", "WITH_OBSENSOR", "WITH_OPENCL", "WITH_OPENEXR", "WITH_OPENJPEG",
    "WITH_PROTOBUF", "WITH_QT", "WITH_VA", "WITH_VA_INTEL",
)  # fmt: skip
ON = (
    "BUILD_JPEG", "BUILD_PNG", "BUILD_TIFF", "BUILD_WEBP", "BUILD_ZLIB", "BUILD_INFO_SKIP_TIMESTAMP",
    "OPENCV_SKIP_PYTHON_LOADER", "PYTHON3_LIMITED_API",
)  # fmt: skip


class CannotCompile(Exception):
    """Why not, fit to be shown."""


def put_lean_cv2(python: Path, run: Callable[..., None]) -> None:
    """Replaces the cv2 of the environment of `python`, which has the wheel of the same version.

    Args:
        run: runs a command that has to succeed.
    """
    library = next(python.parents[1].glob("lib/python3*/site-packages/cv2/cv2.*.so"))
    try:
        lean = compiled(python, library, run)
    except CannotCompile as error:
        say(f"{error} So the bundle gets the OpenCV of the wheel, and is some 50 MB larger.")
        return
    shutil.copyfile(lean, library)
    for name in ("gapi", "typing"):  # Python code around modules that are not there now
        shutil.rmtree(library.with_name(name))
    check(python, run)


def compiled(python: Path, library: Path, run: Callable[..., None]) -> Path:
    """The compiled library, from the cache where it is there.

    Raises:
        CannotCompile: this machine lacks something for it.
    """
    prepare_tools()
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True).stdout
    options = cmake_options(Path(), Path(), Path(), Path("python"), Path("site-packages/cv2/cv2.so"))
    made_of = "\n".join([SOURCE_LOCK.read_text(), compiler, hash_of(library), *options]).encode()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgecam-build"
    kept = cache / f"cv2-{hashlib.sha256(made_of).hexdigest()[:16]}.so"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once need only one of it
        if not kept.is_file():
            for left_over in cache.glob("opencv-*"):  # of builds that were killed
                shutil.rmtree(left_over)
            with tempfile.TemporaryDirectory(dir=folder_to_compile_in(cache), prefix="opencv-") as folder:
                made = compile_in(Path(folder), python, library, run)
                arriving = kept.with_suffix(".new")
                shutil.copyfile(made, arriving)  # maybe from another disk
                arriving.rename(kept)  # whole or not at all
    return kept


def folder_to_compile_in(cache: Path) -> Path:
    """The cache, or the place for temporary files: compilers' options and pkg-config split a path at spaces."""
    return cache if re.fullmatch(r"[\w/.+-]+", str(cache), re.ASCII) else Path(tempfile.gettempdir())


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def prepare_tools() -> None:
    """Installs the compiler and what goes with it."""
    missing = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    include = Path(sys.base_prefix) / "include" / f"python3.{sys.version_info.minor}"
    if not (include / "Python.h").is_file():
        missing.append(f"libpython3.{sys.version_info.minor}-dev")
    if missing and not debian.install(sorted(missing), why="OpenCV, which is compiled,"):
        raise CannotCompile("What it takes to compile OpenCV is missing.")


def compile_in(work: Path, python: Path, library: Path, run: Callable[..., None]) -> Path:
    """Compiles in the folder `work`; returns the library."""
    say("compiling OpenCV without what edgecam does not use: once, 7 minutes on two cores")
    python, library = linked_environment(work, python, library)
    ffmpeg = describe_ffmpeg(work, library.parents[1] / "opencv_python_headless.libs")
    source = unpacked_source(work, python, run)
    build = work / "build"
    environment = os.environ | {"PKG_CONFIG_LIBDIR": str(ffmpeg), "PKG_CONFIG_PATH": ""}
    run("cmake", *cmake_options(work, source, build, python, library), env=environment)
    forget_folders(build, work, python)
    log = work / "ninja.log"  # warnings of other people's code; to be seen only when it fails
    with log.open("wb") as file:
        failed = subprocess.run(["ninja", "-C", str(build)], stdout=file, stderr=subprocess.STDOUT).returncode
    if failed:
        say("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
        raise CannotCompile("OpenCV could not be compiled.")
    return next(build.glob("lib/python3/cv2*.so"))


def linked_environment(work: Path, python: Path, library: Path) -> tuple[Path, Path]:
    """The Python and the wheel's library, through a link in `work`: without the spaces of the checkout's path."""
    link = work / "environment"
    link.symlink_to(python.parents[1])
    return link / python.relative_to(python.parents[1]), link / library.relative_to(python.parents[1])


def describe_ffmpeg(work: Path, libraries: Path) -> Path:
    """Pairs the wheel's FFmpeg libraries with Debian's headers of the same version, for pkg-config."""
    headers, links, described = work / "headers", work / "lib", work / "pkgconfig"
    for folder in (headers, links, described):
        folder.mkdir()
    download = ["apt-get", "-o", "APT::Sandbox::User=root", "-qq", "download", *HEADERS]
    if subprocess.run(download, cwd=headers, stdout=sys.stderr).returncode != 0:
        raise CannotCompile("FFmpeg's headers cannot be had.")
    for package in headers.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package.name, "."], cwd=headers, check=True)
    for name in FFMPEG:
        library = next(libraries.glob(f"lib{name}-*"))
        version = library.name.split(".so.")[1]
        description = next(headers.rglob(f"lib{name}.pc")).read_text()
        if f"Version: {version}\n" not in description:
            raise CannotCompile(f"This Debian's headers are not those of FFmpeg's {library.name}.")
        (links / f"lib{name}.so").symlink_to(library)
        include = next(headers.rglob(f"lib{name}/version.h")).parents[1]
        found = f"Version: {version}\nLibs: -L{links} -l{name}\nCflags: -I{include}\n"
        (described / f"lib{name}.pc").write_text(f"Name: lib{name}\nDescription: of the wheel\n{found}")
    return described


def unpacked_source(work: Path, python: Path, run: Callable[..., None]) -> Path:
    """OpenCV's source from the package index, checked against its hash."""
    run(
        python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "opencv-python-headless", "--require-hashes",
        "-r", SOURCE_LOCK, "-d", work,
    )  # fmt: skip
    archive = next(work.glob("opencv*.tar.gz"))
    run("tar", "-xzf", archive, "-C", work)
    archive.unlink()
    return work / archive.name.removesuffix(".tar.gz") / "opencv"


def cmake_options(work: Path, source: Path, build: Path, python: Path, library: Path) -> list[str]:
    """What cmake is called with."""
    beside = f"-Wl,-rpath-link,{library.parents[1] / 'opencv_python_headless.libs'}"
    values = {
        "CMAKE_BUILD_TYPE": "Release",
        "BUILD_LIST": MODULES,
        "CPU_DISPATCH": "SSE4_1;SSE4_2;AVX;FP16;AVX2",
        "PYTHON3_EXECUTABLE": str(python),
        "PYTHON_DEFAULT_EXECUTABLE": str(python),
        "OPENCV_PYTHON3_INSTALL_PATH": "python",
        # The same result in every folder.
        "CMAKE_C_FLAGS": f"-ffile-prefix-map={work}=.",
        "CMAKE_CXX_FLAGS": f"-ffile-prefix-map={work}=.",
        "CMAKE_EXE_LINKER_FLAGS": beside,
        "CMAKE_MODULE_LINKER_FLAGS": f"{beside} -Wl,-s,--disable-new-dtags,-rpath,{RUNTIME_PATH}",
        "CMAKE_SKIP_RPATH": "ON",
        **dict.fromkeys(OFF, "OFF"),
        **dict.fromkeys(ON, "ON"),
    }
    quiet = ["-Wno-dev", "--log-level=WARNING"]
    return [
        *quiet,
        "-G",
        "Ninja",
        "-S",
        str(source),
        "-B",
        str(build),
        *(f"-D{name}={value}" for name, value in values.items()),
    ]


def forget_folders(build: Path, work: Path, python: Path) -> None:
    """Takes this machine's folders and kernel out of what cmake wrote for the compiler."""
    description, data_folders = build / "modules/core/version_string.inc", build / "opencv_data_config.hpp"
    text = description.read_text()
    if not re.search(r"FFMPEG: +YES", text):
        raise CannotCompile("OpenCV did not take the wheel's FFmpeg.")
    for folder in (python.parents[1], python.parents[1].resolve(), work):
        text = text.replace(str(folder), ".")
    description.write_text(re.sub(r"(Host: +).*\\n", r"\1\\n", text))
    data_folders.write_text(data_folders.read_text().replace(str(work), "."))


def check(python: Path, run: Callable[..., None]) -> None:
    """Whether it has every name of OpenCV that edgecam uses, and reads cameras and videos."""
    edgecam = PACKAGING.parent / "edgecam"
    modules = [path for path in edgecam.rglob("*.py") if path.relative_to(edgecam).parts[0] != "training"]
    names = sorted({name for path in modules for name in re.findall(r"\bcv2\.([A-Za-z]\w*)", path.read_text("utf-8"))})
    code = (
        f"import cv2; missing = [name for name in {names} if not hasattr(cv2, name)]; "
        "assert not missing, missing; backends = cv2.videoio_registry.getBackends(); "
        "assert cv2.CAP_FFMPEG in backends and cv2.CAP_V4L2 in backends, backends"
    )
    run(python, "-c", code)
