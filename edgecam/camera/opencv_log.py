"""OpenCV's own messages on standard error: ours say the same in words for a user."""

from __future__ import annotations

import cv2


def silence_opencv() -> None:
    """Turns them off, in OpenCV 4 (`cv2.setLogLevel`) and 5 (`cv2.utils.logging`)."""
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
