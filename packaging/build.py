"""`packaging/build`: from a checkout to dist/edgecam, .tar.xz and .deb, the same every time for the same commit."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import debian
from debian import say
from debian_package import build_deb
from lean_opencv import SOURCE_LOCK, put_lean_cv2
from qt_parts import remove_unused_qt

PACKAGING = Path(__file__).resolve().parent
ROOT = PACKAGING.parent
DIST = ROOT / "dist"
MACHINE = platform.machine()
DEBIAN_ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}
ICONS = ROOT / "build" / "icons"
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
LOCK = PACKAGING / "locks" / f"linux-{MACHINE}-py{sys.version_info.major}{sys.version_info.minor}.txt"
VENV = ROOT / "build" / f"venv-{LOCK.stem}"
WHEEL_TAGS = ("manylinux_2_36", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
BUILD_TOOLS = {"objdump": "binutils", "as": "binutils", "strip": "binutils"}
PACK_TOOLS = {"xz": "xz-utils", "dpkg-deb": "dpkg", "tar": "tar"}


class CannotBuild(Exception):
    """Why not, fit to be shown."""


def run(*command: str | Path, **options: object) -> None:
    """A command that has to succeed; what it prints goes to standard error."""
    done = subprocess.run([str(word) for word in command], stdout=sys.stderr, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise CannotBuild(f"`{' '.join(str(word) for word in command)}` failed with status {done.returncode}.")


def version() -> str:
    """edgecam's own."""
    found = re.search(r'__version__ = "(.+)"', (ROOT / "edgecam/__init__.py").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def commit_time() -> int:
    """Seconds since 1970 of the commit, for every time stamp inside: what makes two builds of it the same."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else 1_760_000_000


def check_machine() -> None:
    """There are wheels of everything for two kinds of machine."""
    if MACHINE not in DEBIAN_ARCHITECTURE or sys.maxsize < 2**32:
        raise CannotBuild(f"this machine ({MACHINE}) is not supported: only 64-bit x86 and 64-bit ARM have all wheels.")


def prepare_tools(*, packs: bool) -> None:
    """Installs what the build needs from Debian."""
    tools = BUILD_TOOLS | (PACK_TOOLS if packs else {})
    missing = [package for program, package in tools.items() if shutil.which(program) is None]
    missing += debian.missing_for_qt() + debian.missing_for_venv()
    if sys.prefix == sys.base_prefix and Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve():
        library = f"libpython3.{sys.version_info.minor}"
        if not list(Path("/usr/lib").glob(f"*/{library}.so.1.0")):
            missing.append(library)  # Debian's python3 is linked without it; the bundle's starter needs it
    if missing and not debian.install(sorted(set(missing)), why="The build"):
        raise CannotBuild("what the build needs is missing.")


def make_venv(*, opencv_of_wheel: bool) -> Path:
    """The Python of an environment with exactly what the lock says, and on x86-64 an OpenCV of our own compiling."""
    compiles = MACHINE == "x86_64" and LOCK.exists() and not opencv_of_wheel
    python, stamp = VENV / "bin" / "python", VENV / "made-of.sha256"
    made_of = (LOCK, PACKAGING / "qt_parts.py", PACKAGING / "lean_opencv.py", SOURCE_LOCK)
    sources = [path for path in made_of if path.exists()]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources) + bytes([compiles])).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return python
    run(sys.executable, "-m", "venv", "--clear", VENV)
    pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q")
    if LOCK.exists():
        run(*pip, "--require-hashes", "--only-binary=:all:", "-r", LOCK)
        run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    else:
        say(f"there is no {LOCK.relative_to(ROOT)}: taking the newest versions; another build may differ")
        run(*pip, "--editable", f"{ROOT}[package]")
    for site_packages in VENV.glob("lib/python3*/site-packages"):
        remove_unused_qt(site_packages)
    if compiles:
        put_lean_cv2(python, run)
    stamp.write_text(key)
    return python


def write_lock(machine: str) -> None:
    """Resolves packaging/locks/bundle.in for this Python on `machine`, and writes versions with hashes."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "venv", f"{folder}/venv")
        command = [f"{folder}/venv/bin/python", "-m", "pip", "install", "--dry-run", "--ignore-installed", "-q"]
        command += ["--only-binary=:all:", "--report", "-", "-r", str(PACKAGING / "locks/bundle.in")]
        if machine != MACHINE:
            command += ["--target", f"{folder}/target", "--python-version", f"3.{sys.version_info.minor}"]
            command += [word for tag in WHEEL_TAGS for word in ("--platform", f"{tag}_{machine}")]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise CannotBuild("pip could not resolve packaging/locks/bundle.in: see its message above.")
    lock = LOCK.with_name(LOCK.name.replace(MACHINE, machine))
    lines = [f"# Written by packaging/build --lock {machine}; change bundle.in instead.\n"]
    for part in sorted(json.loads(done.stdout)["install"], key=lambda part: part["metadata"]["name"].lower()):
        sha256 = part["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{part['metadata']['name']}=={part['metadata']['version']} --hash=sha256:{sha256}\n")
    lock.write_text("".join(lines), encoding="utf-8")
    say(f"wrote {lock.relative_to(ROOT)}")


def freeze(python: Path) -> Path:
    """Runs PyInstaller, then puts in the stand-ins and the notices; returns the onedir."""
    work = ROOT / "build" / "pyinstaller"
    environment = os.environ | {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": str(commit_time())}
    say("freezing; this takes a minute or two")
    run(
        python, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN",
        "--distpath", DIST, "--workpath", work, PACKAGING / "edgecam.spec",
        env=environment,
    )  # fmt: skip
    bundle = DIST / "edgecam"
    run(python, PACKAGING / "finish.py", bundle, DIST / "collected.tsv", env=environment)
    return bundle


def draw_icons(python: Path) -> None:
    """The icon as PNG in the usual sizes, drawn by Qt."""
    ICONS.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    sizes = [str(size) for size in ICON_SIZES]
    run(python, PACKAGING / "draw_icons.py", ROOT / "assets/icon.svg", ICONS, *sizes, env=environment)


def pack(bundle: Path, machine: str) -> list[Path]:
    """The .tar.xz and the .deb of a bundle for `machine`, which need not be this one."""
    architecture, stamp = DEBIAN_ARCHITECTURE[machine], str(commit_time())
    archive = DIST / f"edgecam-{version()}-linux-{machine}.tar.xz"
    say(f"packing {archive.name}")
    order = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", f"--mtime=@{stamp}", "--mode=go=rX,u+rw,a-s"]
    run("tar", *order, "-C", bundle.parent, "-cJf", archive, bundle.name, env=os.environ | {"XZ_OPT": "-9e -T2"})
    package = DIST / f"edgecam_{version()}_{architecture}.deb"
    say(f"packing {package.name}")
    date = datetime.fromtimestamp(int(stamp), UTC).date().isoformat()
    os.environ["SOURCE_DATE_EPOCH"] = stamp
    icons = {size: ICONS / f"{size}.png" for size in ICON_SIZES}
    build_deb(bundle, icons, version(), architecture, date, package)
    return [archive, package]


def report(bundle: Path, packed: list[Path], machine: str) -> None:
    """Sizes, and the bundle's own list of files with hashes, which two builds of one commit share."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and not path.is_symlink())
    hashes = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bundle)}\n" for path in files)
    (DIST / f"edgecam-{version()}-linux-{machine}.sha256").write_text(hashes, encoding="utf-8")
    size = sum(path.stat().st_size for path in files)
    say(f"{bundle}: {len(files)} files, {size / 1e6:.0f} MB")
    for path in packed:
        say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


def main() -> int:
    """Returns 0 when all is built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-archives", action="store_true", help="only the folder, no .tar.xz and .deb")
    parser.add_argument(
        "--wheel-opencv", action="store_true", help="compile no OpenCV: 50 MB larger on x86-64, ten minutes quicker"
    )
    parser.add_argument("--system", action="store_true", help="the small .deb for Debian 13 instead")
    parser.add_argument(
        "--lock", nargs="?", const=MACHINE, choices=DEBIAN_ARCHITECTURE, help="write the lock file of a machine anew"
    )
    parser.add_argument(
        "--pack", nargs=2, metavar=("MACHINE", "DIR"), help="only the archives, of a bundle made before"
    )
    args = parser.parse_args()
    try:
        check_machine()
        if args.system:
            from system_package import build_system_deb

            say(f"made {build_system_deb(version(), commit_time(), DIST)}")
            return 0
        prepare_tools(packs=not args.no_archives)
        if args.lock:
            write_lock(args.lock)
        elif args.pack:
            machine, bundle = args.pack[0], Path(args.pack[1])
            report(bundle, pack(bundle, machine), machine)
        else:
            python = make_venv(opencv_of_wheel=args.wheel_opencv)
            bundle = freeze(python)
            draw_icons(python)
            report(bundle, [] if args.no_archives else pack(bundle, MACHINE), MACHINE)
    except (CannotBuild, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
