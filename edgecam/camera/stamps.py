"""When a frame was captured, from a driver's time stamps, which cannot always be true."""

from __future__ import annotations

import math
from typing import Final

_PLAUSIBLE_AGE_S: Final = 2.0  # a stamp further from now is not one of this frame


class Stamps:
    """The time stamps of one run of a camera, made strictly increasing."""

    def __init__(self) -> None:
        self._stamp = self._captured_at = -math.inf

    def moment(self, stamp: float | None, now: float) -> float:
        """When the frame that has just arrived was captured, in seconds of the clock that `now` is read from.

        That is the driver's stamp, or `now` where it gives none or one that cannot be true: ahead of `now`, more than
        two seconds old, or not after the one before. A true stamp that follows such a `now` and lies before it counts
        as the next moment after, so that one false stamp does not spoil all those to come.

        Args:
            stamp: the driver's, in seconds of the same clock; None where it gives none.
            now: the present moment.
        """
        if stamp is None or not now - _PLAUSIBLE_AGE_S < stamp <= now or stamp <= self._stamp:
            moment = now
        else:
            self._stamp = moment = stamp
        self._captured_at = max(moment, math.nextafter(self._captured_at, math.inf))
        return self._captured_at
