"""Between the camera that is shown and its dialog: asks and sets in a thread of its own, and remembers."""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from edgecam.camera.base import CameraState
from edgecam.errors import CameraError
from edgecam.gui.cameras.settings import CameraSettings
from edgecam.gui.preferences import WRITE_AFTER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from edgecam.camera.base import Camera, CameraMode
    from edgecam.camera.controls import Control
    from edgecam.camera.memory import CameraChoice, CameraMemory
    from edgecam.camera.orientation import Orientation
    from edgecam.gui.cameras.control import CameraControl
    from edgecam.gui.widgets.toast import Toast

log = logging.getLogger(__name__)


class CameraTuning(QObject):
    """Opens the dialog and carries out what is done in it.

    A driver may take its time over each control: none is ever asked in the GUI thread.
    """

    _controls_read = Signal(object, object)  # Camera, list of Control
    _refused = Signal(str)

    def __init__(self, cameras: CameraControl, memory: CameraMemory, toast: Toast, window: QWidget) -> None:
        super().__init__(window)
        self._cameras, self._memory, self._toast, self._window = cameras, memory, toast, window
        self.dialog: CameraSettings | None = None
        self._driver = _DriverThread()
        self._timer = QTimer(self)  # a slider on the move is written once
        self._timer.setSingleShot(True)
        self._timer.setInterval(WRITE_AFTER_MS)
        self._timer.timeout.connect(memory.write)
        self._controls_read.connect(self._on_controls)
        self._refused.connect(toast.say)
        cameras.state_changed.connect(self._on_camera)

    def open(self) -> None:
        """Shows the settings of the present camera."""
        camera = self._cameras.camera
        if camera is None:
            self._toast.say("There is no camera whose settings could be shown.")
            return
        if self.dialog is not None:
            self.dialog.close()
        dialog = self.dialog = CameraSettings(camera.name, self._window)
        dialog.mode_chosen.connect(self._on_mode)
        dialog.orientation_chosen.connect(self._on_orientation)
        dialog.control_set.connect(self._on_control)
        dialog.reset_wanted.connect(self._on_reset)
        dialog.finished.connect(self._on_closed)
        self._show(camera)
        dialog.show()

    def stop(self) -> None:
        """Ends the thread, and writes what is remembered."""
        self._driver.stop()
        self._timer.stop()
        self._memory.write()

    def _show(self, camera: Camera) -> None:
        if self.dialog is not None:
            self.dialog.show_modes(camera.modes, camera.wanted, camera.mode)
            self.dialog.show_orientation(camera.orientation)
            self._read(camera)

    def _read(self, camera: Camera) -> None:
        self._driver.do("read", lambda: self._controls_read.emit(camera, camera.controls()))

    # From the dialog

    def _on_mode(self, mode: CameraMode | None) -> None:
        camera = self._cameras.camera
        if camera is not None and mode != camera.wanted:
            self._cameras.choose_mode(mode)

    def _on_orientation(self, orientation: Orientation) -> None:
        camera = self._cameras.camera
        if camera is not None:
            camera.orientation = orientation
            self._change(camera, lambda choice: replace(choice, orientation=orientation))

    def _on_control(self, key: str, value: int) -> None:
        camera = self._cameras.camera
        if camera is None:
            return

        def set_it() -> None:
            try:
                camera.set_control(key, value)
            except CameraError as error:
                self._refused.emit(str(error))
            # Another control may have become active, or this one may have been rounded.
            self._read(camera)

        self._driver.do(key, set_it)
        self._change(camera, lambda choice: replace(choice, settings={**choice.settings, key: value}))

    def _on_reset(self) -> None:
        camera = self._cameras.camera
        if camera is None:
            return

        def reset() -> None:
            for control in camera.controls():
                if control.active and control.value != control.default:
                    try:
                        camera.set_control(control.key, control.default)
                    except CameraError as error:
                        log.info("%s", error)
            self._read(camera)

        self._driver.do("reset", reset)
        self._change(camera, lambda choice: replace(choice, settings={}))

    def _on_closed(self) -> None:
        self.dialog = None

    # From the camera

    def _on_camera(self) -> None:
        camera = self._cameras.camera
        if camera is None or self._cameras.state is not CameraState.LIVE:
            return
        # Only a mode that the camera really delivers in is remembered.
        self._change(camera, lambda choice: replace(choice, mode=camera.wanted))
        self._show(camera)

    def _on_controls(self, camera: Camera, controls: list[Control]) -> None:
        if self.dialog is not None and camera is self._cameras.camera:
            self.dialog.show_controls(controls)

    def _change(self, camera: Camera, change: Callable[[CameraChoice], CameraChoice]) -> None:
        self._memory.put(camera.address, change(self._memory.choice(camera.address)))
        self._timer.start()


class _DriverThread:
    """Does one thing after the other; of the same kind only the newest that waits (a slider on the move)."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        self._bell: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def do(self, kind: str, work: Callable[[], None]) -> None:
        with self._lock:
            self._waiting[kind] = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="camera controls", daemon=True)
                self._thread.start()
        self._bell.put(True)

    def stop(self) -> None:
        with self._lock:
            self._waiting.clear()
            thread, self._thread = self._thread, None
        if thread is not None:
            self._bell.put(False)
            thread.join(1)

    def _run(self) -> None:
        while self._bell.get():
            with self._lock:
                if not self._waiting:
                    continue
                kind = next(iter(self._waiting))
                work = self._waiting.pop(kind)
            work()
