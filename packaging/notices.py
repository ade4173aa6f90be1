"""THIRD-PARTY-NOTICES.txt: what is really inside a bundle, with the licences that came with it."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEAD = """\
Third-party software in this bundle of edgecam
==============================================

edgecam itself is under the MIT licence (LICENSE). This file was generated from the files of the bundle.

Qt and PySide6 are used under the GNU Lesser General Public License, version 3. They are separate shared libraries in
_internal/PySide6: replace them there with your own build of the same version, and edgecam runs with it. Their source is
available from the Qt Company (download.qt.io) and, as Debian source packages, from Debian. FFmpeg's libraries in
_internal/opencv_python_headless.libs are likewise separate and replaceable, under the LGPL, version 2.1 or later.

Small stand-ins made by edgecam's build are PySide6/Qt/lib/libicudata.so.* (ICU's data) and, on ARM,
opencv_python_headless.libs/libopenblas-*.so. Either can be replaced by the file of the same name from the wheel
(PySide6_Essentials, opencv-python-headless), and has to be for a Qt of your own that wants ICU's data. On x86-64,
cv2 is compiled from the unchanged source of opencv-python-headless, without the modules that edgecam does not use.

"""

# Licence texts that a wheel only names. Debian has them all in one place.
COMMON_LICENSES = Path("/usr/share/common-licenses")
NAMED_LICENSES = {"PySide6_Essentials": ("LGPL-3", "GPL-3"), "shiboken6": ("LGPL-3", "GPL-3"), "pyudev": ("LGPL-2.1",)}


@dataclass
class Part:
    """A distribution or Debian package of which something is inside."""

    title: str
    licence: str
    texts: list[tuple[str, str]]
    files: list[str] = field(default_factory=list)


def write_notices(bundle: Path, collected: list[tuple[str, str]], to: Path) -> list[str]:
    """Writes the notices of a bundle.

    Args:
        bundle: the onedir.
        collected: for each file, where it lies in the bundle and where it came from.

    Returns the files of which nobody knows where they come from; there should be none.
    """
    owners = _distribution_files()
    foreign = [(target, path) for target, source in collected if not is_own(path := Path(source).resolve(), bundle)]
    packages = _debian_packages([path for _, path in foreign if path not in owners])
    parts: dict[str, Part] = {}
    unknown = []
    for target, path in foreign:
        if path in owners:
            _distribution_part(owners[path], parts).files.append(target)
        elif path in packages:
            _debian_part(packages[path], parts).files.append(target)
        elif path.is_relative_to(sys.base_prefix):
            _python_part(parts).files.append(target)
        else:
            unknown.append(target)
    lines = [HEAD]
    for part in sorted(parts.values(), key=lambda part: part.title.lower()):
        lines.append(f"{'-' * 100}\n{part.title}\nLicence: {part.licence}\nFiles: {_shortly(part.files)}\n")
        lines += [f"\n[{name}]\n\n{text.strip()}\n" for name, text in part.texts]
    to.write_text("\n".join(lines), encoding="utf-8")
    return unknown


def _distribution_files() -> dict[Path, metadata.Distribution]:
    """Every file of every installed distribution, and whose it is."""
    return {
        Path(str(found.locate_file(file))).resolve(): found
        for found in metadata.distributions()
        if found.metadata["Name"] != "edgecam"
        for file in (found.files or ())
    }


def is_own(path: Path, bundle: Path) -> bool:
    """Whether a file is edgecam's, or was made by the build."""
    if path.is_relative_to(sys.prefix):
        return any(part.startswith("edgecam-") for part in path.parts)  # its metadata
    return path.is_relative_to(ROOT) or path.is_relative_to(bundle.parent.parent)


def _distribution_part(found: metadata.Distribution, parts: dict[str, Part]) -> Part:
    name = found.metadata["Name"]
    if name not in parts:
        licence = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
        if not licence or "\n" in licence:  # some put the whole text there
            licence = _classifier(found)
        texts = [
            (str(file), Path(str(found.locate_file(file))).read_text(encoding="utf-8", errors="replace"))
            for file in (found.files or ())
            if re.search(r"\.dist-info/(.*/)?(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$", str(file), re.IGNORECASE)
        ]
        for common in NAMED_LICENSES.get(name, ()):
            if (COMMON_LICENSES / common).is_file():
                texts.append((common, (COMMON_LICENSES / common).read_text(encoding="utf-8")))
        parts[name] = Part(f"{name} {found.version}", licence, texts)
    return parts[name]


def _classifier(found: metadata.Distribution) -> str:
    classifiers = found.metadata.get_all("Classifier") or []
    named = [text.rsplit("::", 1)[-1].strip() for text in classifiers if text.startswith("License ::")]
    return ", ".join(named) or "see below"


def _debian_packages(paths: list[Path]) -> dict[Path, str]:
    """The Debian package of each file that belongs to one."""
    names = [name for path in paths for name in {str(path), str(path).removeprefix("/usr")}]
    done = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        packages, _, name = line.partition(": ")
        found[Path(name).resolve()] = packages.split(",")[0].split(":")[0]
    return found


def _python_part(parts: dict[str, Part]) -> Part:
    """Python itself, where it is not Debian's."""
    if "Python" not in parts:
        licence = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
        texts = [("LICENSE.txt", licence.read_text(encoding="utf-8"))] if licence.is_file() else []
        parts["Python"] = Part(f"Python {sys.version.split()[0]}", "PSF-2.0", texts)
    return parts["Python"]


def _debian_part(package: str, parts: dict[str, Part]) -> Part:
    if package not in parts:
        shown = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=True
        )
        copyright_file = Path("/usr/share/doc") / package / "copyright"
        text = copyright_file.read_text(encoding="utf-8", errors="replace") if copyright_file.is_file() else ""
        licences = sorted(set(re.findall(r"^License: *(\S.*)$", text, re.MULTILINE)))
        if not text.startswith("Format:") or not licences:
            licences = ["see below"]
        parts[package] = Part(
            f"{package} {shown.stdout} (Debian)", ", ".join(licences), [("copyright", text)] if text else []
        )
    return parts[package]


def _shortly(files: list[str]) -> str:
    return ", ".join(sorted(files)[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else "")
