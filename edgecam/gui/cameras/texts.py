"""What the window says about a camera's state: title, sentence and status word. Plain functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraState

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.pipeline.capture import CameraStatus


@dataclass(frozen=True, slots=True)
class StateText:
    """Title and sentence for the middle of the view (both "" when the picture speaks for itself), status line word."""

    title: str
    text: str
    status: str


def state_text(camera: Camera, status: CameraStatus, now: float) -> StateText:
    """The words for `status` at `now` (monotonic s)."""
    match status.state:
        case CameraState.OPENING:
            return StateText(f"Opening {camera.name} …", "", "Opening")
        case CameraState.LIVE:
            return StateText("", "", "Live" if camera.live else "Playing")
        case CameraState.PAUSED:
            return StateText("", "", "Frozen" if camera.live else "Paused")
        case CameraState.ENDED:
            return StateText("", "", "Ended")
        case CameraState.FAILED:
            return StateText(f"{camera.name} cannot be shown", status.message, "Failed")
        case CameraState.STALLED:
            text = f"{camera.name} stopped answering {_ago(now - status.since)}. The view resumes by itself."
            return StateText("No pictures", text, "Stalled")
        case CameraState.RECONNECTING:
            word = f"Reconnecting, try {status.attempt}"
            if status.lost:
                text = (
                    f"{camera.name} stopped answering {_ago(now - status.since)}. "
                    f"The view resumes by itself when it is {'reachable' if camera.remote else 'plugged in'} again."
                )
                return StateText("Camera disconnected", text, word)
            return StateText(f"{camera.name} cannot be opened", status.message, word)


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s ago"
    return f"{round(seconds / 60)} min ago"
