"""The Debian package and the notices, made around a bundle of two files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "build" / "dist" / "edgecam"
    (folder / "_internal").mkdir(parents=True)
    program = folder / "edgecam"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    for name in ("LICENSE", "THIRD-PARTY-NOTICES.txt"):
        (folder / name).write_text(f"text of {name}")
    return folder


@pytest.fixture
def package(packaging: None, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg-deb")
    import debian_package

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1760000000")
    icon = tmp_path / "48.png"
    icon.write_bytes(b"png")
    to = tmp_path / "edgecam_1.2.3_arm64.deb"
    debian_package.build_deb(bundle, {48: icon}, "1.2.3", "arm64", "2026-01-02", to)
    return to


def test_the_package_holds_program_and_desktop_files_of_root(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    for line in (
        "usr/lib/edgecam/edgecam",
        "usr/bin/edgecam -> ../lib/edgecam/edgecam",
        "usr/share/applications/edgecam.desktop",
        "usr/share/metainfo/org.edgecam.edgecam.metainfo.xml",
        "usr/share/icons/hicolor/48x48/apps/edgecam.png",
        "usr/share/icons/hicolor/scalable/apps/edgecam.svg",
        "usr/share/man/man1/edgecam.1.gz",
        "usr/lib/systemd/user/edgecam-kiosk.service",
        "usr/share/edgecam/edgecam-kiosk.desktop",
        "usr/share/doc/edgecam/copyright",
    ):
        assert f"./{line}\n" in listed
    assert all(line.split()[1] == "root/root" for line in listed.splitlines())
    program = next(line for line in listed.splitlines() if line.endswith("./usr/lib/edgecam/edgecam"))
    assert program.startswith("-rwxr-xr-x")


KIOSK = "/usr/share/edgecam/edgecam-kiosk.desktop"


@pytest.mark.parametrize("path", ["README.md", "packaging/linux/README.Debian", "packaging/linux/edgecam.1"])
def test_every_description_names_the_kiosk_entry_where_both_packages_have_it(path: str) -> None:
    text = (PACKAGING.parent / path).read_text(encoding="utf-8").replace("\\-", "-")
    assert re.findall(r"/usr/share/\S*kiosk\S*", text) == [KIOSK]
    installed = (PACKAGING / "debian-system" / "edgecam-system.install").read_text(encoding="utf-8")
    assert "edgecam-kiosk.desktop usr/share/edgecam\n" in installed


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-utils")
@pytest.mark.parametrize("name", ["edgecam.desktop", "edgecam-kiosk.desktop"])
def test_the_desktop_entries_are_valid(name: str) -> None:
    done = subprocess.run(["desktop-file-validate", PACKAGING / "linux" / name], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_package_says_what_it_needs(package: Path) -> None:
    shown = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    assert "Package: edgecam\nVersion: 1.2.3\nArchitecture: arm64\n" in shown
    assert "libc6 (>= 2.36)" in shown
    assert "libglib2.0-0 | libglib2.0-0t64" in shown


def test_the_same_files_give_the_same_package(package: Path, bundle: Path, tmp_path: Path) -> None:
    import debian_package

    again = tmp_path / "again" / package.name
    again.parent.mkdir()
    debian_package.build_deb(bundle, {48: tmp_path / "48.png"}, "1.2.3", "arm64", "2026-01-02", again)
    assert again.read_bytes() == package.read_bytes()


@pytest.fixture
def notices(packaging: None) -> Any:
    import notices

    return notices


def test_notices_name_parts_with_their_licence_and_report_what_nobody_knows(
    notices: Any, bundle: Path, tmp_path: Path
) -> None:
    import numpy

    stranger = tmp_path / "stranger.so"
    stranger.touch()
    collected = [
        ("numpy/__init__.py", numpy.__file__),
        ("edgecam/cli.py", str(PACKAGING.parent / "edgecam" / "cli.py")),
        ("base_library.zip", str(bundle.parent / "base_library.zip")),
        ("stranger.so", str(stranger)),
    ]
    to = tmp_path / "notices.txt"
    assert notices.write_notices(bundle, collected, to) == ["stranger.so"]
    text = to.read_text(encoding="utf-8")
    assert f"numpy {numpy.__version__}\nLicence: " in text
    assert "Redistributions of source code must retain" in text  # numpy's own licence text
    assert "edgecam/cli.py" not in text


def test_python_itself_is_named(notices: Any, bundle: Path, tmp_path: Path) -> None:
    to = tmp_path / "notices.txt"
    assert (
        notices.write_notices(bundle, [("PYZ:argparse", str(Path(sys.modules["argparse"].__file__ or "")))], to) == []
    )
    assert "Files: PYZ:argparse" in to.read_text(encoding="utf-8")
