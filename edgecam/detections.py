"""What a detector found in one frame: the only thing that crosses from detector to overlay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """N objects of one frame.

    Attributes:
        boxes: float32 (N, 4), xyxy in pixels of the frame.
        scores: float32 (N,), 0 to 1.
        class_ids: int64 (N,), index into the model's labels.

    Raises:
        ValueError: when shapes do not agree.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,) or self.class_ids.shape != (n,):
            raise ValueError(
                "expected boxes (N, 4), scores (N,), class_ids (N,), "
                f"got {self.boxes.shape}, {self.scores.shape}, {self.class_ids.shape}"
            )

    @classmethod
    def empty(cls) -> Detections:
        """No object at all."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Detections:
        """The objects that a mask, an index array or a slice selects."""
        return Detections(self.boxes[index], self.scores[index], self.class_ids[index])

    def counts(self) -> dict[int, int]:
        """How often each class occurs: {class_id: count}, most frequent first, then by class_id."""
        ids, numbers = np.unique(self.class_ids, return_counts=True)
        order = np.lexsort((ids, -numbers))
        return {int(ids[i]): int(numbers[i]) for i in order}
