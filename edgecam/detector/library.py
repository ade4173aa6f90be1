"""The models one can choose: those that come with edgecam and those of the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgecam.errors import ModelError

SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model file one can choose: what to call it, and where it lies."""

    name: str
    path: Path
    bundled: bool


class ModelLibrary:
    """Finds models in a read-only folder (bundled) and in the user's own.

    Args:
        bundled: the folder of edgecam's own models.
        own: the user's folder; may not exist.
    """

    def __init__(self, bundled: Path, own: Path) -> None:
        self._bundled, self._own = bundled, own

    def entries(self) -> list[ModelEntry]:
        """All models, the bundled ones first, each group by name."""
        return [
            ModelEntry(path.stem, path, folder is self._bundled)
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
        if path.is_file():
            return ModelEntry(path.stem, path.resolve(), False)
        known = ", ".join(entry.name for entry in entries) or "none"
        raise ModelError(f"There is no model named '{name_or_path}' and no such file (installed: {known}).")

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


DEFAULT_MODEL = "edgecam-mobile"
