"""`edgecam selftest` and `edgecam --version`: what a bug report and a fresh installation begin with."""

from __future__ import annotations

from collections import Counter

import pytest

from edgecam import __version__, resources
from edgecam.cli import main
from edgecam.commands import selftest

needs_model = pytest.mark.skipif(not list(resources.models_folder().glob("*.onnx")), reason="no model is bundled")


def test_version_names_edgecam_first_and_then_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"edgecam {__version__} ")
    assert any(line.startswith("onnxruntime ") for line in lines)
    assert any(line.startswith("PySide6-Essentials ") for line in lines)


@needs_model
def test_it_passes_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--frames", "15"]) == 0
    said = capsys.readouterr().out
    assert "15 frames of the demo" in said
    assert "person" in said
    assert said.rstrip().endswith("selftest passed")


@pytest.mark.parametrize(
    ("seen", "frames", "words"),
    [
        ({"person": 3, "cat": 1}, 9, "9 of 10 frames"),
        ({"person": 3}, 10, "cat"),
        ({}, 10, "person, cat"),
    ],
)
def test_it_fails_when_the_pipeline_is_not_sound(seen: dict[str, int], frames: int, words: str) -> None:
    with pytest.raises(selftest.SelfTestFailed, match=words):
        selftest._judge(Counter(seen), ("person", "cat"), frames=frames, wanted=10)


def test_a_model_of_other_things_has_to_see_something() -> None:
    selftest._judge(Counter({"ship": 1}), ("ship",), frames=10, wanted=10)
    with pytest.raises(selftest.ModelError, match="saw nothing"):
        selftest._judge(Counter(), ("ship",), frames=10, wanted=10)


def test_a_missing_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--model", "nowhere.onnx"]) == 4
    assert "nowhere.onnx" in capsys.readouterr().err
