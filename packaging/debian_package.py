"""The Debian package around a bundle, made with dpkg-deb."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

LINUX = Path(__file__).resolve().parent / "linux"

# What packaging/edgecam.spec leaves to the system (SYSTEM_LIBRARIES there).
DEPENDS = (
    "libc6 (>= 2.36)",
    "libstdc++6 (>= 12)",
    "libgcc-s1",
    "zlib1g",
    "libexpat1",
    "libglib2.0-0 | libglib2.0-0t64",
    "libdbus-1-3",
    "libfontconfig1",
    "libfreetype6",
    "libegl1",
    "libgl1",
    "libx11-6",
    "libx11-xcb1",
    "libsm6",
    "libice6",
    "libssl3 | libssl3t64",
    "libxcb1",
    "libxcb-randr0",
    "libxcb-render0",
    "libxcb-shape0",
    "libxcb-shm0",
    "libxcb-sync1",
    "libxcb-xfixes0",
    "libwayland-client0",
    "libwayland-cursor0",
    "libudev1",
)
RECOMMENDS = ("fonts-dejavu-core", "v4l-utils", "xdg-desktop-portal")

CONTROL = """\
Package: edgecam
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size_kb}
Depends: {depends}
Recommends: {recommends}
Conflicts: edgecam-system
Section: video
Priority: optional
Description: live camera view that draws what a detector sees
 edgecam shows what a camera sees and draws a box around each person, animal
 and thing that its detector knows, on the machine where the camera is.
 .
 This package carries its own Python, Qt, OpenCV and onnxruntime.
"""


def build_deb(bundle: Path, icons: dict[int, Path], version: str, architecture: str, date: str, to: Path) -> None:
    """Writes the package.

    Args:
        bundle: the onedir; it becomes /usr/lib/edgecam.
        icons: PNG files by their size in pixels.
        version, architecture: as Debian writes them.
        date: of the release, YYYY-MM-DD.
        to: the file to write.
    """
    root = to.parent / f"{to.stem}.root"
    shutil.rmtree(root, ignore_errors=True)
    (root / "usr/bin").mkdir(parents=True)
    shutil.copytree(bundle, root / "usr/lib/edgecam", symlinks=True)
    (root / "usr/bin/edgecam").symlink_to("../lib/edgecam/edgecam")
    install_desktop_files(root, icons, version, date)
    documents = root / "usr/share/doc/edgecam"
    shutil.copy(LINUX / "README.Debian", documents / "README.Debian")
    copyright_text = (bundle / "LICENSE").read_text(encoding="utf-8")
    notices = (bundle / "THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
    (documents / "copyright").write_text(f"{copyright_text}\n\n{notices}", encoding="utf-8")
    normalise_modes(root)
    size_kb = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file()) // 1024
    (root / "DEBIAN").mkdir()
    control = CONTROL.format(
        version=version, architecture=architecture, size_kb=size_kb, maintainer=maintainer(),
        depends=", ".join(DEPENDS), recommends=", ".join(RECOMMENDS),
    )  # fmt: skip
    (root / "DEBIAN/control").write_text(control)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(to)], check=True)
    shutil.rmtree(root)


def maintainer() -> str:
    """Who answers for the package: DEBFULLNAME and DEBEMAIL, as for Debian's tools, else the last commit's author."""
    done = subprocess.run(["git", "-C", str(LINUX), "log", "-1", "--format=%an%n%ae"], capture_output=True, text=True)
    name, _, address = done.stdout.strip().partition("\n")
    name = os.environ.get("DEBFULLNAME") or name or "The edgecam authors"
    return f"{name} <{os.environ.get('DEBEMAIL') or address or 'edgecam@localhost'}>"


def install_desktop_files(root: Path, icons: dict[int, Path], version: str, date: str) -> None:
    """What a desktop shows and starts: entry, icons, metadata, manual page, kiosk unit and autostart entry."""
    share = root / "usr/share"
    for folder in ("applications", "metainfo", "man/man1", "doc/edgecam", "edgecam", "icons/hicolor/scalable/apps"):
        (share / folder).mkdir(parents=True)
    shutil.copy(LINUX / "edgecam.desktop", share / "applications")
    shutil.copy(LINUX / "edgecam-kiosk.desktop", share / "edgecam")
    shutil.copy(LINUX.parents[1] / "assets/icon.svg", share / "icons/hicolor/scalable/apps/edgecam.svg")
    for size, path in icons.items():
        folder = share / f"icons/hicolor/{size}x{size}/apps"
        folder.mkdir(parents=True)
        shutil.copy(path, folder / "edgecam.png")
    (share / "metainfo/org.edgecam.edgecam.metainfo.xml").write_text(filled("edgecam.metainfo.xml", version, date))
    (share / "man/man1/edgecam.1.gz").write_bytes(
        gzip.compress(filled("edgecam.1", version, date).encode(), 9, mtime=0)
    )
    units = root / "usr/lib/systemd/user"
    units.mkdir(parents=True)
    shutil.copy(LINUX / "edgecam-kiosk.service", units)


def filled(name: str, version: str, date: str) -> str:
    """A file of packaging/linux with version and date put in."""
    text = (LINUX / name).read_text(encoding="utf-8")
    return text.replace("@VERSION@", version).replace("@DATE@", date)


def normalise_modes(root: Path) -> None:
    """Folders and programs 755, other files 644, whatever the umask of this shell is."""
    for path in root.rglob("*"):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            os.chmod(path, 0o755 if runs else 0o644)
