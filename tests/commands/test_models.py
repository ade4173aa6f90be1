"""`edgecam models`, as a user types it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.cli import EXIT_MODEL, EXIT_USAGE, main
from edgecam.commands.models import size_hw
from tests.tiny_models import constant_model, describe, gfl_cells

if TYPE_CHECKING:
    from pathlib import Path

CELLS = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])[None]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return constant_model(tmp_path / "tiny.onnx", {"cells": CELLS}, description=describe())


def test_add_list_show_remove(tiny: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.with_suffix(".json").write_text(json.dumps({"labels": ["Katze", "犬"]}), encoding="utf-8")
    assert main(["models", "add", str(tiny), "--name", "Haus tiere"]) == 0
    copy = own_home / "data" / "edgecam" / "models" / "Haus tiere.onnx"
    assert copy.read_bytes() == tiny.read_bytes()
    assert "Added Haus tiere: edgecam, 2 classes" in capsys.readouterr().out

    assert main(["models", "list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Haus tiere"))
    assert " 2 " in line
    assert " ms (64×64)" in line
    assert main(["models", "list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["Haus tiere"]["classes"] == 2
    assert listed["Haus tiere"]["ms_per_frame"] > 0

    assert main(["models", "show", "Haus tiere"]) == 0
    assert "2: Katze, 犬" in capsys.readouterr().out
    assert main(["models", "show", "Haus tiere", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["Katze", "犬"]

    assert main(["models", "remove", "Haus tiere"]) == 0
    assert list(copy.parent.iterdir()) == []
    assert main(["models", "remove", "Haus tiere"]) == EXIT_MODEL


def test_a_name_is_taken_once(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(tiny)]) == 0
    assert main(["models", "add", str(tiny)]) == EXIT_MODEL
    assert "already; give this one another name" in capsys.readouterr().err
    assert main(["models", "add", str(tiny), "--replace"]) == 0


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a\nb", "x" * 200])
def test_a_name_leads_nowhere_else(tiny: Path, own_home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(tiny), "--name", name]) == EXIT_MODEL
    assert "cannot be the name of a model" in capsys.readouterr().err
    assert not list(own_home.rglob("*.onnx"))


def test_a_bad_file_is_not_added(tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = constant_model(tmp_path / "bad.onnx", {"cells": CELLS[:, :, 1:]}, description=describe())
    assert main(["models", "add", str(path)]) == EXIT_MODEL
    error = capsys.readouterr().err
    assert "79 cells, expected 80" in error
    assert error.count("\n") == 1
    assert not list(own_home.rglob("*.onnx"))


def test_a_broken_file_in_the_library_is_listed_with_its_fault(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_home / "data" / "edgecam" / "models"
    folder.mkdir(parents=True)
    (folder / "page.onnx").write_text("<html>")
    assert main(["models", "list"]) == 0
    assert "web page" in capsys.readouterr().out
    assert main(["models", "show", "page"]) == EXIT_MODEL
    assert main(["models", "remove", "page"]) == 0
    assert not list(folder.iterdir())


def test_check_says_what_and_why_and_how_fast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = np.zeros((1, 84, 8400), np.float32)
    table[0, :, 77] = [320, 320, 100, 50, *np.eye(80, dtype=np.float32)[16] * 0.9]
    path = constant_model(tmp_path / "mine.onnx", {"output0": table}, input_shape=(1, 3, "h", "w"))
    assert main(["models", "check", str(path), "--threads", "1"]) == 0
    out = capsys.readouterr().out
    for part in ("YOLOv8", "8400 predictions, one per cell of strides 8/16/32", "'output0' float32 (1, 84, 8400)"):
        assert part in out
    for stage in ("preprocess", "inference", "postprocess", "load and warm-up"):
        assert stage in out
    assert "dog 0.90" in out
    assert main(["models", "check", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["input_hw"] == [640, 640]  # declared open, but its output is always that of 640
    assert report["seen"][0]["label"] == "dog"


def test_check_of_unknown_outputs_says_what_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = constant_model(tmp_path / "odd.onnx", {"o": np.zeros((1, 9, 1000), np.float32)})
    assert main(["models", "check", str(path)]) == EXIT_MODEL
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "of no kind that edgecam knows: 'o' float32 (1, 9, 1000). 4 ways to read them fit" in err
    lines = out.splitlines()
    place = lines.index("1000 predictions, one per column: box, objectness, 4 class scores")
    (tmp_path / "odd.json").write_text(lines[place + 1])
    assert main(["models", "check", str(path)]) == 0
    out = capsys.readouterr().out
    assert "what its sidecar says" in out
    assert "4: class 0, class 1, class 2, class 3" in out


@pytest.mark.parametrize(("text", "hw"), [("416x320", (320, 416)), ("320", (320, 320)), ("64×32", (32, 64))])
def test_sizes(text: str, hw: tuple[int, int]) -> None:
    assert size_hw(text) == hw


@pytest.mark.parametrize("arguments", [["--size", "0x5"], ["--size", "wide"], ["--picture", "none.jpg"], []])
def test_wrong_usage_is_one_line(arguments: list[str], tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["models", "check", *([str(tiny)] if arguments else []), *arguments]
    try:
        code = main(argv)
    except SystemExit as end:
        code = int(str(end.code))
    assert code in {1, EXIT_USAGE}
    assert capsys.readouterr().err.count("\n") == 1


def test_show_has_a_line_for_each_part_of_what_a_file_says_of_itself(
    own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "show", "edgecam-nano"]) == 0
    shown = capsys.readouterr().out
    (accuracy,) = (line for line in shown.splitlines() if line.startswith("accuracy"))
    assert re.search(r"320x320: coco_val AP \d+\.\d, AP50 \d+\.\d", accuracy)
    assert re.search(r"\n +arm_minstructions: 320x320 cortex-a72 \d+, cortex-a76 \d+", shown)
    assert "{" not in shown
