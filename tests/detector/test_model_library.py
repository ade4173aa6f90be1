"""The user's folder of models: what is copied, what is deleted, what is left alone; and what is shown of each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edgecam.detector.description import Decoder
from edgecam.detector.facts import facts_of
from edgecam.detector.loading import load_detector
from edgecam.detector.model_library import DEFAULT_MODEL, ModelLibrary
from edgecam.detector.recognition.sidecar import write_sidecar
from edgecam.detector.records import Records, fingerprint
from edgecam.detector.report import Report
from edgecam.errors import ModelError
from tests.detector.test_onnx_file import CELLS, external_model
from tests.tiny_models import constant_model, describe

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    for name in ("a-first", DEFAULT_MODEL):
        constant_model(bundled / f"{name}.onnx", {"cells": CELLS}, description=describe(name))
    return ModelLibrary(bundled, tmp_path / "own")


def tiny(path: Path) -> Path:
    return constant_model(path, {"cells": CELLS}, description=describe())


def test_the_default_is_preferred_and_names_and_paths_are_found(library: ModelLibrary, tmp_path: Path) -> None:
    assert library.default().name == DEFAULT_MODEL
    assert [entry.name for entry in library.entries()] == ["a-first", DEFAULT_MODEL]
    assert library.find("a-first").bundled
    assert library.find("a-first.onnx").bundled
    assert library.find(str(tmp_path / "bundled" / "a-first.onnx")).bundled
    assert not library.find(str(tiny(tmp_path / "mine.onnx"))).bundled
    for name in ("none such", "x" * 5000, "a\0b", "/"):
        with pytest.raises(ModelError, match="installed: a-first"):
            library.find(name)


def test_a_link_into_the_bundled_folder_is_no_way_to_be_trusted(library: ModelLibrary, tmp_path: Path) -> None:
    (tmp_path / "bundled" / "link.onnx").symlink_to(tiny(tmp_path / "mine.onnx"))
    assert not library.entry_of(tmp_path / "bundled" / "link.onnx").bundled


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model is installed"):
        ModelLibrary(tmp_path / "none", tmp_path / "own").default()


def test_weights_and_sidecar_come_and_go_with_the_model(library: ModelLibrary, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    path = external_model(source / "big.onnx", "weights.bin")
    path.with_suffix(".json").write_text('{"labels": ["x", "y"]}')
    entry = library.add(path)
    own = tmp_path / "own"
    assert sorted(file.name for file in own.iterdir()) == ["big.json", "big.onnx", "weights.bin"]
    with pytest.raises(ModelError, match=r"weights\.bin exists already; it may belong to another model"):
        library.add(path, name="other")
    assert sorted(file.name for file in own.iterdir()) == ["big.json", "big.onnx", "weights.bin"]
    library.remove(entry.name)
    assert list(own.iterdir()) == []
    assert (source / "weights.bin").is_file()


def test_adding_what_is_there_already_keeps_it(library: ModelLibrary, tmp_path: Path) -> None:
    entry = library.add(tiny(tmp_path / "mine.onnx"))
    before = entry.path.read_bytes()
    assert library.add(entry.path, replace=True).path.read_bytes() == before
    with pytest.raises(ModelError, match="already"):
        library.add(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="already"):
        library.add(tmp_path / "mine.onnx", name=DEFAULT_MODEL, replace=True)


def test_a_folder_that_cannot_be_written(library: ModelLibrary, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("a file, not a folder")
    with pytest.raises(ModelError, match="cannot be copied there"):
        library.add(tiny(tmp_path / "mine.onnx"))


def test_facts_of_a_described_model(library: ModelLibrary, tmp_path: Path) -> None:
    records = Records(tmp_path / "models.json")
    description = replace(
        describe("good"), accuracy={"note": "", "coco-val": {"320x320": {"AP": 31.2}}}, provenance={"licence": "MIT"}
    )
    path = constant_model(tmp_path / "good.onnx", {"cells": CELLS}, description=description)
    facts = facts_of(library.entry_of(path), records)
    assert (facts.accuracy, facts.licence, facts.speed, facts.precision) == (
        "coco-val 320x320 AP 31.2",
        "MIT",
        "",
        "fp32",
    )
    records.add(fingerprint(path), Report(input_hw=(64, 96), preprocess_ms=1, inference_ms=20, postprocess_ms=2))
    assert facts_of(library.entry_of(path), records).speed == "23 ms (96×64)"
    path.with_suffix(".json").write_text(json.dumps({"labels": ["Hund", "Katze"]}))
    changed = facts_of(library.entry_of(path), records)
    assert changed.description is not None
    assert changed.description.labels == ("Hund", "Katze")
    assert changed.speed == ""  # tried out with other labels: not this


def test_a_persons_names_of_a_bundled_model_lie_in_the_own_folder(library: ModelLibrary, tmp_path: Path) -> None:
    records = Records(tmp_path / "models.json")
    entry = library.find("a-first")
    assert entry.sidecar.is_relative_to(tmp_path / "own")
    assert library.entry_of(entry.path).sidecar == entry.sidecar
    write_sidecar(entry.sidecar, {"labels": ["Hund", "Katze"], "output": {"decoder": "rows"}})
    description = facts_of(entry, records).description
    assert description is not None
    assert (description.labels, description.output.decoder) == (("Hund", "Katze"), Decoder.GFL)
    assert load_detector(entry, records).labels == ("Hund", "Katze")
    assert [one.name for one in library.entries()] == ["a-first", DEFAULT_MODEL]


def test_facts_of_a_stranger_and_of_a_broken_file(library: ModelLibrary, tmp_path: Path) -> None:
    records = Records(tmp_path / "models.json")
    path = constant_model(tmp_path / "stranger.onnx", {"cells": CELLS})
    assert facts_of(library.entry_of(path), records).description is None
    (tmp_path / "page.onnx").write_text("<html>")
    assert "web page" in facts_of(library.entry_of(tmp_path / "page.onnx"), records).problem
