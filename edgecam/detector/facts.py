"""What there is to show of a model: from its file, and from the record of its trial on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgecam.detector.description import METADATA_KEY, ModelDescription
from edgecam.detector.description_json import complete, read_description
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.recognition.sidecar import PERSONAL, merged, read_sidecar
from edgecam.detector.records import fingerprint
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from edgecam.detector.model_library import ModelEntry
    from edgecam.detector.records import Records
    from edgecam.detector.report import Report


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One line of the library.

    Attributes:
        problem: why the file cannot be used; "" if nothing is known against it.
        size_bytes: of the file.
        description: None for a stranger that has not been tried out.
        report: of its trial on this machine; None if there was none.
    """

    entry: ModelEntry
    problem: str = ""
    size_bytes: int = 0
    precision: str = ""
    description: ModelDescription | None = None
    report: Report | None = None

    @property
    def speed(self) -> str:
        """Milliseconds for one frame here, at which size; "" where not measured."""
        if self.report is None:
            return ""
        height, width = self.report.input_hw
        return f"{self.report.total_ms:.0f} ms ({width}×{height})"

    @property
    def accuracy(self) -> str:
        """The first figure that the file gives of itself, with where it was measured; "" where unknown."""
        return _first_figure(self.description.accuracy) if self.description else ""

    @property
    def licence(self) -> str:
        if self.description is None:
            return ""
        found = next(
            (self.description.provenance[key] for key in LICENCE_KEYS if key in self.description.provenance), ""
        )
        return found if isinstance(found, str) else ""


LICENCE_KEYS = ("licence", "license")


def facts_of(entry: ModelEntry, records: Records) -> ModelFacts:
    """What is known of a model without running it; a file that cannot be used has its problem in there."""
    try:
        file = read_onnx_file(entry.path)
        report = records.find(fingerprint(entry.path, file.external))
        own = file.metadata.get(METADATA_KEY)
        description = None
        if own is not None:
            description = read_description(own, source=str(entry.path))
            changes = {key: value for key, value in read_sidecar(entry.sidecar).items() if key in PERSONAL}
            description = _changed(description, changes, str(entry.path))
        elif report is not None:
            description = _changed(None, report.description, str(entry.path))
    except (ModelError, OSError) as error:
        return ModelFacts(entry, problem=str(error))
    return ModelFacts(entry, "", file.size, file.precision, description, report)


def _changed(base: ModelDescription | None, changes: dict[str, Any], source: str) -> ModelDescription:
    if base is not None and not changes:
        return base
    return complete(merged(base.to_dict() if base else {}, changes), source=source)


def _first_figure(accuracy: dict[str, Any]) -> str:
    """Accuracy is free JSON: its first number, under the names that lead to it."""
    for key, value in accuracy.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            return f"{key} {value:g}"
        if isinstance(value, str) and value:
            return f"{key} {value}"
        if isinstance(value, dict):
            inner = _first_figure(value)
            if inner:
                return f"{key} {inner}"
    return ""
