"""Choosing a camera, and what the window shows while it comes, goes and returns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.camera.base import CameraState
from edgecam.camera.credentials import without_login
from edgecam.errors import CameraError
from edgecam.gui.cameras.details import CameraDetails
from edgecam.gui.cameras.login_dialog import LoginDialog
from edgecam.gui.cameras.menu import DEMO, CameraMenu
from edgecam.gui.cameras.texts import state_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.camera.base import Camera, CameraMode
    from edgecam.camera.info import CameraInfo
    from edgecam.camera.memory import CameraMemory
    from edgecam.gui.bridge import Bridge
    from edgecam.gui.cameras.watch import CameraWatch
    from edgecam.gui.detection_control import DetectionControl
    from edgecam.gui.picture.live_view import LiveView
    from edgecam.gui.picture.state_panel import StatePanel
    from edgecam.gui.preferences import Preferences
    from edgecam.gui.widgets.picker import Picker
    from edgecam.gui.widgets.status_line import StatusLine
    from edgecam.gui.widgets.toast import Toast
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.pipeline import Pipeline

GONE = {CameraState.STALLED, CameraState.RECONNECTING, CameraState.FAILED}
MAX_RECENT = 8
NO_CAMERA = "No camera was found. This is the bundled demo; plug in a camera and it takes over."


class CameraControl(QObject):
    """Keeps picker, state panel, veil and status line in step with the camera."""

    state_changed = Signal()

    def __init__(
        self, pipeline: Pipeline, bridge: Bridge, preferences: Preferences, watch: CameraWatch, picker: Picker,
        view: LiveView, state_panel: StatePanel, status_line: StatusLine, detections: DetectionControl, toast: Toast,
        *, camera_for: Callable[..., Camera], memory: CameraMemory, fps: float | None,
    ) -> None:  # fmt: skip
        super().__init__(picker)
        self._pipeline, self._preferences, self._watch = pipeline, preferences, watch
        self._picker, self._view, self._state_panel, self._status_line = picker, view, state_panel, status_line
        self._detections, self._toast = detections, toast
        self._camera_for, self._memory, self._fps = camera_for, memory, fps
        # Addresses as they were typed, passwords included, by what is shown of them; for this run only.
        self._secret_addresses: dict[str, str] = {}
        self._noticed = ""
        self.login_dialog: LoginDialog | None = None
        self._cameras: Sequence[CameraInfo] = ()
        self._camera: Camera | None = None
        self._status: CameraStatus | None = None
        self._opening = ""
        self._first_choice: Callable[[], None] | None = None
        self._watched = False
        self._stands_in = False  # the demo plays only because there was no camera
        bridge.camera_changed_in_gui.connect(self._on_changed)
        bridge.camera_refused_in_gui.connect(self._on_refused)
        watch.changed.connect(self._on_cameras)
        self._menu = CameraMenu(picker)
        self._menu.chosen.connect(self.choose)
        picker.about_to_open.connect(self._fill_menu)
        picker.show_choice("No camera", "looking for one …")

    # What is shown

    @property
    def camera(self) -> Camera | None:
        """The camera that is shown."""
        return self._camera

    @property
    def state(self) -> CameraState | None:
        """Its state; None while none was chosen."""
        return self._status.state if self._status else None

    @property
    def is_standing(self) -> bool:
        """The picture stands still because the user wants it or because a file has ended."""
        return self.state in {CameraState.PAUSED, CameraState.ENDED}

    @property
    def is_demo(self) -> bool:
        return self._camera is not None and self._camera.address == DEMO

    def refresh(self) -> None:
        """Brings words that tell a time up to date; called some times per second."""
        if self._status is not None and self._status.state in GONE:
            self._show_state()

    # Choosing

    def start(self, source: str | None) -> None:
        """The first camera: the one asked for, else the one shown last, else the first one found, else the demo."""
        if source:
            self.choose(source)
        else:
            self._first_choice = self._choose_found
        self._watch.start()

    def choose(self, address: str) -> None:
        """Changes to the source at `address`; the present one stays until that one delivers."""
        self._open(address, self._memory.choice(address).mode)

    def choose_mode(self, mode: CameraMode | None) -> None:
        """Opens the present camera in another mode (None: the default); the old mode comes back if it fails."""
        if self._camera is not None:
            self._open(self._camera.address, mode)

    def _open(self, address: str, mode: CameraMode | None) -> None:
        self._first_choice = None
        self._stands_in = False
        secret_address = self._secret_addresses.get(address, address)

        def make_camera() -> Camera:
            settings, choice = self._preferences.value, self._memory.choice(address)
            camera = self._camera_for(
                secret_address, loop=settings.repeat, realtime=settings.realtime, fps=self._fps, wanted=mode,
                settings=choice.settings,
            )  # fmt: skip
            camera.orientation = choice.orientation
            if camera.remote:
                self._secret_addresses[camera.address] = secret_address
            return camera

        try:
            self._pipeline.show_camera(make_camera)
        except CameraError as error:
            self._report_unusable(str(error))
            return
        self._opening = address
        if self._camera is not None:
            self._picker.show_choice(self._picker.title, "changing …")

    def ask_for_login(self, camera: Camera, message: str) -> None:
        """Asks for the user name and password of a stream, and opens it with them."""
        dialog = self.login_dialog = LoginDialog(message, self._picker.window())

        def log_in() -> None:
            self._secret_addresses[camera.address] = dialog.credentials.into(
                without_login(self._secret_addresses.get(camera.address, camera.address))
            )
            self.choose(camera.address)

        dialog.accepted.connect(log_in)
        dialog.open()

    def try_again(self) -> None:
        """Opens the present source once more."""
        if self._camera is not None:
            self.choose(self._camera.address)

    def toggle_freeze(self) -> None:
        """Freezes or resumes; a file that has ended starts again."""
        if self.state is CameraState.ENDED:
            self.try_again()
        elif self.state in {CameraState.LIVE, CameraState.STALLED}:
            self._pipeline.pause(True)
        elif self.state is CameraState.PAUSED:
            self._pipeline.pause(False)

    def set_playback(self, *, realtime: bool, repeat: bool) -> None:
        """How files are played; a file that is shown starts again."""
        self._preferences.change(realtime=realtime, repeat=repeat)
        if self._camera is not None and self._camera.duration_s is not None and not self.is_demo:
            self.try_again()

    def show_details(self) -> None:
        """The facts about the camera and its trouble, to read and to copy."""
        if self._camera is not None and self._status is not None:
            CameraDetails(self._camera, self._status, self._picker.window()).open()

    # From the pipeline

    def _on_changed(self, camera: Camera, status: CameraStatus) -> None:
        if camera is not self._camera:
            same_source = self._camera is not None and self._camera.address == camera.address
            self._camera = camera
            if not same_source:
                self._detections.forget()
        self._status = status
        if status.state is CameraState.LIVE:
            self._opening = ""
            self._remember(camera)
            if camera.notice != self._noticed:
                self._noticed = camera.notice
                self._toast.say(camera.notice)
        if status.state in GONE:
            self._detections.forget()
        self._show_state()
        self.state_changed.emit()

    def _on_refused(self, camera: Camera, message: str) -> None:
        self._opening = ""
        if camera.needs_login:
            self.ask_for_login(camera, message)
        else:
            self._toast.say(message if self._camera is None else f"{message} {self._camera.name} goes on.")
        self._show_state()

    def _on_cameras(self, cameras: Sequence[CameraInfo]) -> None:
        known = {camera.address for camera in self._cameras}
        new = [camera for camera in cameras if camera.address not in known]
        self._cameras = cameras
        if self._picker.menu.isVisible():
            self._fill_menu()
        if self._first_choice is not None:
            self._first_choice()
        elif self._watched:
            self._offer(new)
        self._watched = True

    def _offer(self, new: Sequence[CameraInfo]) -> None:
        """Cameras that were just plugged in."""
        for info in new:
            if self._camera is not None and info.address == self._camera.address:
                self._pipeline.hurry()  # the lost one is back
            elif info.unusable:
                self._toast.say(info.unusable)
            elif self._stands_in:
                self._toast.say(f"{info.name} was plugged in.")
                self.choose(info.address)
            else:
                self._toast.say(f"{info.name} was plugged in. Choose it above.")

    def _choose_found(self) -> None:
        usable = [camera.address for camera in self._cameras if not camera.unusable]
        last = self._preferences.value.source
        if last and (last in usable or last not in {DEMO, ""}):
            self.choose(last)
            if self._first_choice is None and (self._camera is not None or self._opening):
                return
        if usable:
            self.choose(usable[0])
            return
        problem = next((camera.unusable for camera in self._cameras if camera.unusable), None)
        self._toast.say(problem or NO_CAMERA, lasting=True)
        self.choose(DEMO)
        self._stands_in = True

    # Words and pictures

    def _show_state(self) -> None:
        camera, status = self._camera, self._status
        if camera is None or status is None:
            return
        words = state_text(camera, status, time.monotonic())
        gone = status.state in GONE
        self._picker.set_icon("stream" if camera.remote else "camera" if camera.live else "file")
        facts = "not connected" if gone else str(camera.mode or "opening …")
        self._picker.show_choice(camera.name, "bundled clip" if self.is_demo and not gone else facts)
        self._status_line.show_state(status.state, words.status)
        self._view.set_veiled(gone)
        if not words.title:
            self._state_panel.hide()
            return
        actions: list[tuple[str, Callable[[], object]]] = []
        if gone:
            actions.append(("Choose another camera", self._picker.open_menu))
            if camera.needs_login:
                actions.append(("Log in…", lambda: self.ask_for_login(camera, status.message)))
            elif status.state is CameraState.FAILED:
                actions.append(("Try again", self.try_again))
            actions.append(("Details", self.show_details))
        self._state_panel.show_state(words.title, words.text, actions)

    def _report_unusable(self, message: str) -> None:
        """An address that is wrong in itself: a message, and the empty state where nothing else is shown."""
        if self._camera is not None:
            self._toast.say(f"{message} {self._camera.name} goes on.")
            return
        self._picker.show_choice("No camera", "choose one")
        self._status_line.show_state(None, "No camera")
        self._state_panel.show_state(
            "Nothing to show",
            message,
            [("Choose a camera", self._picker.open_menu), ("Play the demo", lambda: self.choose(DEMO))],
        )

    def _remember(self, camera: Camera) -> None:
        recent = self._preferences.value.recent
        if camera.device is None and camera.address not in {DEMO, "pattern"}:
            recent = (camera.address, *(item for item in recent if item != camera.address))[:MAX_RECENT]
        self._preferences.change(source=camera.address, recent=recent)

    def _fill_menu(self) -> None:
        current = self._camera.address if self._camera else None
        self._menu.fill(self._cameras, self._preferences.value.recent, current)
