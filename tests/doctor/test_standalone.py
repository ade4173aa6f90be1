"""The doctor in the standalone program, whose modules are no files and whose libraries lie in the bundle."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from edgecam import doctor
from edgecam.doctor import examination, qt
from edgecam.doctor.finding import ok

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_machine_is_examined_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(doctor, "__file__", "/no such folder/edgecam/doctor/__init__.py")
    findings = list(examination._machine(ok("onnxruntime runs", "1.27.0 on CPU")))
    assert findings[-1].what == "Clock"


def test_the_bundles_own_libraries_are_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/edgecam/_internal", raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/elsewhere")
    (tmp_path / "libqxcb.so").touch()
    asked = []

    def run(command: list[str], env: dict[str, str], **_options: object) -> subprocess.CompletedProcess[str]:
        asked.append((command[0], env["LD_LIBRARY_PATH"]))
        return subprocess.CompletedProcess(
            command, 0, "libxcb-cursor.so.0 => /opt/edgecam/_internal/libxcb-cursor.so.0\n"
        )

    monkeypatch.setattr(subprocess, "run", run)
    assert qt.check_platform_plugin("xcb", tmp_path).text == "all libraries it needs are there"
    assert asked == [("ldd", "/opt/edgecam/_internal")]
