"""What is remembered of trials, and a disk that does not help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.detector.records import Records
from edgecam.detector.report import Report, Seen

if TYPE_CHECKING:
    from pathlib import Path

BROKEN_RECORDS = (
    "",
    "[]",
    "{",
    '{"a": 1}',
    '{"made_by": "", "models": 1}',
    '{"made_by": "", "models": {"a": 1}}',
    '{"made_by": "", "models": {"a": {"seen": 1}}}',
    '{"made_by": "", "models": {"a": {"seen": [1]}}}',
    '{"made_by": "", "models": {"a": {"reasons": 1}}}',
)


def test_what_another_version_tried_out_is_tried_out_again(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    Records(path, "edgecam 1").add("a", Report(family="YOLOX"))
    assert Records(path, "edgecam 1").find("a") is not None
    assert Records(path, "edgecam 2").find("a") is None


@pytest.mark.parametrize("content", BROKEN_RECORDS)
def test_broken_records_count_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "models.json"
    path.write_text(content)
    records = Records(path)
    assert records.find("a") is None
    report = Report(family="YOLOX", input_hw=(3, 4), seen=(Seen("cat", 0.5, (1.0, 2.0, 3.0, 4.0)),))
    records.add("a", report)
    assert records.find("a") == report


def test_records_on_a_disk_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    Records(tmp_path / "file" / "models.json").add("a", Report())
    assert "was not saved" in caplog.text
