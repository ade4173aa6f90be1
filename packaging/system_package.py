"""The small Debian package, which uses the system's own PySide6, OpenCV, NumPy, onnxruntime and picamera2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import debian
from debian_package import LINUX, filled, maintainer

PACKAGING = Path(__file__).resolve().parent
ROOT = PACKAGING.parent
NAME = "edgecam-system"
TOOLS = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "dh_python3": "dh-python", "lintian": "lintian"}

CHANGELOG = """\
{name} ({version}) unstable; urgency=medium

  * Release {version}.

 -- {maintainer}  {date}
"""


def build_system_deb(version: str, commit_time: int, dist: Path) -> Path:
    """Builds it with dpkg-buildpackage and checks it with lintian; returns the package.

    Raises:
        subprocess.CalledProcessError: one of the tools found a fault.
    """
    missing = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    if missing:
        debian.install(missing, why="The Debian package")
    work = ROOT / "build" / "system" / f"{NAME}-{version}"
    shutil.rmtree(work.parent, ignore_errors=True)
    lay_out(work, version, commit_time)
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(commit_time), "DEB_BUILD_OPTIONS": "nocheck"}
    # Without the check of build dependencies: it wants a C compiler, which an `all` package does not use.
    command = ["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps"]
    subprocess.run(command, cwd=work, env=environment, check=True, stdout=sys.stderr)
    package = work.parent / f"{NAME}_{version}_all.deb"
    subprocess.run(["lintian", "--fail-on", "error,warning", str(package)], check=True, stdout=sys.stderr)
    dist.mkdir(exist_ok=True)
    return Path(shutil.copy(package, dist))


def lay_out(work: Path, version: str, commit_time: int) -> None:
    """The source tree that dpkg-buildpackage wants: the program, its data and debian/."""
    moment = datetime.fromtimestamp(commit_time, UTC)
    without = shutil.ignore_patterns("__pycache__", "training", "evaluation")
    shutil.copytree(ROOT / "edgecam", work / "edgecam", ignore=without)
    (work / "edgecam/models").mkdir()
    for pattern in ("*.onnx", "NOTICE*"):
        for path in sorted((ROOT / "models").glob(pattern)):
            shutil.copy(path, work / "edgecam/models")
    (work / "edgecam/assets").mkdir()
    for asset in ("demo.mp4", "icon.svg"):
        shutil.copy(ROOT / "assets" / asset, work / "edgecam/assets")
    shutil.copy(ROOT / "assets/icon.svg", work / "edgecam.svg")
    for name in ("edgecam.desktop", "edgecam-kiosk.desktop", "edgecam-kiosk.service"):
        shutil.copy(LINUX / name, work)
    date = moment.date().isoformat()
    (work / "org.edgecam.edgecam.metainfo.xml").write_text(filled("edgecam.metainfo.xml", version, date))
    (work / "edgecam.1").write_text(filled("edgecam.1", version, date))
    shutil.copytree(PACKAGING / "debian-system", work / "debian", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(LINUX / "README.Debian", work / "debian")
    (work / "debian/rules").chmod(0o755)
    changelog = CHANGELOG.format(name=NAME, version=version, maintainer=maintainer(), date=format_datetime(moment))
    (work / "debian/changelog").write_text(changelog)
    control = work / "debian/control"
    control.write_text(control.read_text().replace("@MAINTAINER@", maintainer()))
    (work / "debian/copyright").write_text(copyright_file(), encoding="utf-8")


def copyright_file() -> str:
    """debian/copyright in its machine-readable form."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    paragraphs = "\n".join(f" {line}" if line.strip() else " ." for line in text.strip().splitlines())
    return (PACKAGING / "debian-system/copyright.in").read_text().replace("@MIT@", paragraphs)
