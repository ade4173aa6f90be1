"""The inputs and outputs of a loaded model, as far as they are declared, and what one run of it gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray

MAX_SHOWN = 80  # characters of a tensor's name

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A declared input or output.

    Attributes:
        shape: None for an open axis.
        dtype: NumPy's name, or onnxruntime's for what NumPy has not.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        axes = ", ".join("?" if axis is None else str(axis) for axis in self.shape)
        return f"{self.name[:MAX_SHOWN]!r} {self.dtype} ({axes})"


@dataclass(frozen=True, slots=True)
class Graph:
    """What a loaded model says of itself."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    producer: str = ""

    @classmethod
    def of(cls, session: onnxruntime.InferenceSession, metadata: dict[str, str], *, source: str) -> Graph:
        """What a session declares.

        Args:
            metadata: as read by `onnx_file`: onnxruntime's own reading fails on text that is not UTF-8.

        Raises:
            ModelError: a name is no text.
        """
        try:
            return cls(
                tuple(_tensor(item) for item in session.get_inputs()),
                tuple(_tensor(item) for item in session.get_outputs()),
                metadata,
                str(session.get_modelmeta().producer_name),
            )
        except UnicodeDecodeError as error:
            raise ModelError(f"{source}: a name in the file is not text ({error}).") from error


def _tensor(item: Any) -> Tensor:
    shape = tuple(axis if isinstance(axis, int) and axis > 0 else None for axis in item.shape)
    return Tensor(item.name, shape, _DTYPES.get(item.type, item.type))


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One output of a run, without its axis for the batch.

    Attributes:
        name: of the output.
        array: as it came.
        shape: of the array without leading axes of length 1.
    """

    name: str
    array: NDArray[Any]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, name: str, array: NDArray[Any]) -> Output:
        shape = array.shape
        while len(shape) > 1 and shape[0] == 1:
            shape = shape[1:]
        return cls(name, array, shape)

    @property
    def whole(self) -> bool:
        """It holds whole numbers by its type."""
        return bool(np.issubdtype(self.array.dtype, np.integer))

    def __str__(self) -> str:
        return f"{self.name[:MAX_SHOWN]!r} {self.array.dtype} {self.array.shape}"
