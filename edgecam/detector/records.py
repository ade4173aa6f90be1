"""What is remembered of models on this machine: which strangers passed their trial, and how fast each one is here."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgecam.detector.recognition.sidecar import sidecar_path
from edgecam.detector.report import Report, report_from_dict
from edgecam.stored_json import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_RECORDS = 200


def fingerprint(path: Path, external: Iterable[str] = ()) -> str:
    """Changes with the model's bytes, its sidecar and the files of its weights.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for file in (path, sidecar_path(path)):
        if file.is_file():
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    for name in sorted(external):
        stat = (path.resolve().parent / name).stat()  # too large to be read at each start
        digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()


class Records:
    """Reports of trials by fingerprint, in one small file; a broken file counts as empty.

    Args:
        made_by: versions of edgecam and onnxruntime: what others have tried out is tried out again.
    """

    def __init__(self, path: Path, made_by: str = "") -> None:
        self._path, self._made_by = path, made_by

    def find(self, key: str) -> Report | None:
        """The report of a model that passed; None if it has not been tried out."""
        data = self._load().get(key)
        if not isinstance(data, dict):
            return None
        try:
            return report_from_dict(data)
        except (TypeError, KeyError, AttributeError):
            return None

    def add(self, key: str, report: Report) -> None:
        """Remembers a report. A full or read-only disk is logged: the model is tried out again next time."""
        data = self._load()
        data.pop(key, None)
        data[key] = asdict(report)
        kept = dict(list(data.items())[-MAX_RECORDS:])
        try:
            write_json(self._path, {"made_by": self._made_by, "models": kept}, indent=None)
        except OSError as error:
            log.warning("The record of a model was not saved to %s: %s", self._path, error)

    def _load(self) -> dict[str, Any]:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(data, dict) or data.get("made_by") != self._made_by:
            return {}
        models = data.get("models")
        return models if isinstance(models, dict) else {}
