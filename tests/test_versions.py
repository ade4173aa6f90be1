"""`edgecam --version` names each part, however it was installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam import versions

if TYPE_CHECKING:
    from pathlib import Path


def record(folder: Path, name: str, version: str) -> None:
    """What an installer leaves behind; Debian's packages leave an .egg-info."""
    file = folder / f"{name.replace('-', '_')}-{version}.egg-info" / "PKG-INFO"
    file.parent.mkdir()
    file.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Python packages, the only one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("module", "name"), [("cv2", "opencv"), ("cv2", "opencv-contrib-python"), ("PySide6", "PySide6")]
)
def test_a_part_is_known_by_every_name_it_is_installed_under(folder: Path, module: str, name: str) -> None:
    record(folder, name, "4.5.6")
    assert f"{name} 4.5.6" in versions.part_lines(module, versions.PARTS[module])


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("made_here", "__version__ = '7.8'\n", "made_here 7.8"),
        ("made_plain", "", "made_plain of unknown version"),
        ("broken_here", "raise ImportError('libgone.so.1: no such file')\n",
         "broken_here cannot be loaded (libgone.so.1: no such file)"),
    ],
)  # fmt: skip
def test_without_a_record_the_module_itself_is_asked(folder: Path, name: str, text: str, line: str) -> None:
    (folder / f"{name}.py").write_text(text)
    assert versions.part_lines(name, ("made-here",)) == [line]


def test_what_is_not_there_is_not_named() -> None:
    assert versions.part_lines("not_installed_at_all", ("not-installed-at-all",)) == []


def test_every_needed_part_of_this_installation_is_named() -> None:
    lines = "\n".join(versions.version_lines())
    for name in ("numpy", "opencv", "onnxruntime", "PySide6"):
        assert f"\n{name}" in lines
