"""The preparation of a checkout (`packaging/prepare.py`), on machines that lack something."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PACKAGING))
    import prepare

    return prepare


@pytest.fixture
def debian(prepare: Any) -> Any:
    return prepare.debian


def test_a_32_bit_system_is_refused_with_what_to_use(prepare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare.sys, "maxsize", 2**31 - 1)
    with pytest.raises(prepare.CannotPrepare, match="64-bit Raspberry Pi OS"):
        prepare.refuse_32_bit()


def test_too_little_disk_is_refused_with_the_size_needed(prepare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100 * 2**20}))
    with pytest.raises(prepare.CannotPrepare, match=r"100 MB of free disk.* 3200 MB"):
        prepare.check_disk("train")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError('... Failed to establish a new connection", "network"),
        ("Temporary failure in name resolution", "network"),
        ("ERROR: No matching distribution found for PySide6-Essentials", "no version for this machine"),
        ("error: metadata-generation-failed", "pip failed"),
    ],
)
def test_a_failed_pip_is_told_in_words(prepare: Any, output: str, words: str) -> None:
    assert words in prepare.reason(output)


@pytest.mark.parametrize(
    ("stamp", "extras"),
    [
        ('{"key": "now", "extras": ["test"]}', {"test"}),
        ('{"key": "before", "extras": ["test"]}', None),
        ('{"key": "now"', None),  # interrupted while writing
        ("[]", None),
        (None, None),
    ],
)
def test_only_a_whole_stamp_of_this_state_counts(
    prepare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stamp: str | None, extras: set[str] | None
) -> None:
    monkeypatch.setattr(prepare, "STAMP", tmp_path / "stamp.json")
    if stamp is not None:
        prepare.STAMP.write_text(stamp)
    assert prepare.prepared_extras("now") == extras


def test_the_second_start_does_nothing(prepare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "VENV", tmp_path)
    monkeypatch.setattr(prepare, "STAMP", tmp_path / "stamp.json")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "edgecam").touch()
    prepare.STAMP.write_text(json.dumps({"key": prepare.key(), "extras": ["test", "train"]}))
    monkeypatch.setattr(prepare, "refuse_32_bit", lambda: pytest.fail("looked at the machine again"))
    for purpose in ("run", "test", "train"):
        prepare.prepare(purpose)


def test_the_key_follows_pyproject(prepare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("a")
    monkeypatch.setattr(prepare, "ROOT", tmp_path)
    before = prepare.key()
    (tmp_path / "pyproject.toml").write_text("b")
    assert prepare.key() != before


def test_a_library_that_the_loader_does_not_find_names_its_package(
    debian: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "QT_LIBRARIES", {"libc.so.6": "libc6", "libnowhere-7.so.1": "libnowhere-7-1"})
    assert debian.missing_libraries() == {"libnowhere-7.so.1": "libnowhere-7-1"}


@pytest.fixture
def programs(debian: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says which programs this machine has, for a user who is not root and has no terminal."""

    def have(*names: str) -> None:
        monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}" if name in names else None)

    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(debian.subprocess, "run", lambda *a, **k: pytest.fail(f"ran {a}"))
    return have


def test_without_apt_the_packages_are_named(
    debian: Any, programs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    programs("sudo")
    assert not debian.install(["libegl1", "libxcb-cursor0"], why="The window (Qt)")
    said = capsys.readouterr()
    assert said.out == ""
    assert "libegl1 libxcb-cursor0" in said.err
    assert "no apt-get" in said.err


def test_without_sudo_the_command_for_root_is_shown(
    debian: Any, programs: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    programs("apt-get")
    assert not debian.install(["libegl1"], why="The window (Qt)")
    assert "apt-get install -y -q --no-install-recommends libegl1" in capsys.readouterr().err
