"""The whole examination, and the command."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from edgecam.cli import main
from edgecam.detector.model_library import ModelLibrary
from edgecam.doctor import examination
from edgecam.doctor.examination import as_text, report, summary
from edgecam.doctor.finding import Finding, Verdict, ok, problem, warning
from edgecam.doctor.models import check_models
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FINDINGS = [
    ok("Python", "3.11.2"),
    warning("Cameras", "none is connected", "plug one in"),
    problem("numpy", "is not installed", "pip install numpy"),
]


def fail(path: Path) -> None:
    raise ModelError(f"{path}: not a model.")


def test_models(tmp_path: Path) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "own"
    library = ModelLibrary(bundled, own)
    (finding,) = check_models(library, fail, own)
    assert finding.verdict is Verdict.PROBLEM
    assert str(own) in finding.remedy
    for folder in (bundled, own):
        folder.mkdir()
        (folder / "net.onnx").write_bytes(b"rubbish")
    assert [finding.verdict for finding in check_models(library, fail, own)] == [Verdict.PROBLEM, Verdict.WARNING]
    assert {finding.verdict for finding in check_models(library, lambda _: None, own)} == {Verdict.OK}


def test_text_and_summary() -> None:
    assert as_text(FINDINGS[0]) == "ok       Python: 3.11.2"
    assert as_text(FINDINGS[2]).splitlines() == ["PROBLEM  numpy: is not installed", "         → pip install numpy"]
    assert summary(FINDINGS) == "1 problem, 1 warning in 3 checks"
    assert "edgecam " in report(FINDINGS).splitlines()[0]


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok       numpy: ") for line in lines)
    assert any("Display" in line for line in lines)
    assert code == (1 if any(line.startswith("PROBLEM") for line in lines) else 0)


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(examination, "_findings", lambda: iter(FINDINGS))
    assert main(["doctor", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [row["verdict"] for row in data["findings"]] == ["ok", "warning", "problem"]
    assert data["findings"][0]["remedy"] is None


def test_findings_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_findings", lambda: iter(FINDINGS))
    heard: list[Finding] = []
    assert examination.examine(heard.append) == FINDINGS == heard


def test_a_missing_library_does_not_stop_the_doctor() -> None:
    code = "import sys; sys.modules['numpy'] = None\nfrom edgecam.cli import main\nsys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "PROBLEM  numpy: is not installed" in done.stdout
    assert "Traceback" not in done.stderr
