"""The models one can choose: those that come with edgecam and those of the user."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.recognition.sidecar import SUFFIX as SIDECAR_SUFFIX
from edgecam.detector.recognition.sidecar import sidecar_path
from edgecam.errors import ModelError

SUFFIX = ".onnx"
DEFAULT_MODEL = "edgecam-nano"
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model file one can choose.

    Attributes:
        name: what to call it.
        bundled: it came with edgecam.
        sidecar: where a person's word about it is kept: beside it, or for a bundled one in the user's own folder.
    """

    name: str
    path: Path
    bundled: bool
    sidecar: Path


class ModelLibrary:
    """Finds models in a read-only folder (bundled) and in the user's own, and keeps the latter.

    Args:
        bundled: the folder of edgecam's own models.
        own: the user's folder; may not exist.
    """

    def __init__(self, bundled: Path, own: Path) -> None:
        self._bundled, self._own = bundled, own

    def entries(self) -> list[ModelEntry]:
        """All models, the bundled ones first, each group by name."""
        return [
            self._entry(path, bundled=folder is self._bundled)
            for folder in (self._bundled, self._own)
            for path in (sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ())
        ]

    def find(self, name_or_path: str) -> ModelEntry:
        """The model of that name, or the file of that path.

        Raises:
            ModelError: there is neither; the message lists the names.
        """
        entries = self.entries()
        for entry in entries:
            if name_or_path in {entry.name, entry.path.name}:
                return entry
        path = Path(name_or_path).expanduser()
        if _is_file(path):
            return self.entry_of(path)
        known = ", ".join(entry.name for entry in entries) or "none"
        raise ModelError(f"There is no model named '{name_or_path}' and no such file (installed: {known}).")

    def entry_of(self, path: Path) -> ModelEntry:
        """The entry of a file, wherever it lies; it counts as bundled only where it lies in that folder."""
        resolved = path.resolve()
        return self._entry(resolved, bundled=resolved.parent == self._bundled.resolve())

    def _entry(self, path: Path, *, bundled: bool) -> ModelEntry:
        sidecar = self._own / "bundled" / f"{path.stem}{SIDECAR_SUFFIX}" if bundled else sidecar_path(path)
        return ModelEntry(path.stem, path, bundled, sidecar)

    def default(self) -> ModelEntry:
        """The model to start with.

        Raises:
            ModelError: no model is installed.
        """
        entries = self.entries()
        if not entries:
            raise ModelError(f"No model is installed: {self._bundled} holds no {SUFFIX} file.")
        preferred = [entry for entry in entries if entry.name == DEFAULT_MODEL]
        return (preferred or entries)[0]

    def add(self, path: Path, *, name: str | None = None, replace: bool = False) -> ModelEntry:
        """Copies a model with its sidecar and its files of weights into the user's folder.

        Args:
            name: what to call it; None for the file's own name.
            replace: a model of that name is overwritten.

        Raises:
            ModelError: it is no model, the name is taken or unusable, or the folder cannot be written to.
        """
        name = path.stem if name is None else name
        if not name or len(name) > MAX_NAME or name.startswith(".") or any(c in '/\\:*?"<>|' or c < " " for c in name):
            raise ModelError(f"'{name[:MAX_NAME]}' cannot be the name of a model.")
        target = self._own / f"{name}{SUFFIX}"
        taken = [entry for entry in self.entries() if entry.name == name]
        if any(entry.bundled for entry in taken) or (taken and not replace):
            raise ModelError(f"There is a model named '{name}' already; give this one another name.")
        file = read_onnx_file(path)
        try:
            self._own.mkdir(parents=True, exist_ok=True)
            for location in sorted(file.external):
                # A name that another model's weights may have too: they must not be mixed up.
                if (self._own / location).exists() and not replace:
                    raise ModelError(f"{self._own / location} exists already; it may belong to another model.")
                _copy(path.resolve().parent / location, self._own / location)
            if sidecar_path(path).is_file():
                _copy(sidecar_path(path), sidecar_path(target))
            _copy(path, target)
        except OSError as error:
            raise ModelError(f"{self._own}: the model cannot be copied there ({error.strerror or error}).") from error
        return self._entry(target, bundled=False)

    def remove(self, name: str) -> ModelEntry:
        """Deletes one of the user's models with its sidecar and its files of weights.

        Raises:
            ModelError: there is none of that name, it came with edgecam, or it cannot be deleted.
        """
        entry = next((entry for entry in self.entries() if name in {entry.name, entry.path.name}), None)
        if entry is None:
            raise ModelError(f"There is no model named '{name}'.")
        if entry.bundled:
            raise ModelError(f"'{name}' came with edgecam and stays.")
        external: set[str] = set()
        with contextlib.suppress(ModelError):  # what cannot be read can be deleted all the same
            external = set(read_onnx_file(entry.path).external)
        try:
            for path in (entry.path, sidecar_path(entry.path), *(self._own / location for location in external)):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(f"{entry.path}: cannot be deleted ({error.strerror or error}).") from error
        return entry


def _copy(source: Path, target: Path) -> None:
    """Copies a file whole or not at all."""
    if source.resolve() == target.resolve():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.tmp")
    try:
        shutil.copyfile(source, draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False
