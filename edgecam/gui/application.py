"""Starts the window. Order: environment, log, QApplication, theme, window, first camera and model, event loop."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import cv2
from PySide6.QtCore import QSocketNotifier
from PySide6.QtGui import QFontDatabase, QIcon
from PySide6.QtWidgets import QApplication

from edgecam import __version__, resources
from edgecam.camera.opening import camera_for
from edgecam.commands.source_options import NO_MODEL, model_library
from edgecam.gui import no_screen
from edgecam.gui.cameras.watch import CameraWatch
from edgecam.gui.environment import remove_foreign_plugins, require_display
from edgecam.gui.main_window import MainWindow
from edgecam.gui.picture.snapshots import default_folder
from edgecam.gui.preferences import Preferences
from edgecam.logs import log_to_file, log_unhandled
from edgecam.settings import SettingsStore, default_path

if TYPE_CHECKING:
    import argparse

SNAPSHOTS_S = 5.0  # what a slow card may take for the last snapshots, once the window is closed


def run_window(args: argparse.Namespace) -> int:
    """Opens the window as `args` say and returns when it is closed.

    Raises:
        UsageError: there is no display.
        CameraError, ModelError: the source or the model on the command line cannot be there.
    """
    library = model_library()
    if args.source:
        camera_for(args.source)  # what is wrong on the command line is said there, before a window opens
    if args.model not in {None, NO_MODEL}:
        library.find(args.model)
    foreign = remove_foreign_plugins()
    require_display()
    log_to_file()
    log_unhandled()
    cv2.setNumThreads(1)  # the cores are the detector's
    app = make_application(sys.argv[:1])
    preferences = Preferences(SettingsStore(default_path()))
    if args.realtime or args.loop:
        preferences.change(realtime=args.realtime, repeat=args.loop)
    window = MainWindow(
        preferences, library, CameraWatch(), default_folder(),
        threads=args.threads, provider=args.provider, fps=args.fps,
    )  # fmt: skip
    sockets = _quit_on_signals(window)  # before it is seen: whoever sees it may want to end it
    window.show()
    window.actions_.full_screen.setChecked(args.fullscreen)
    if foreign:
        window.toast.say(foreign)
    if args.model is not None:
        window.models.choose(args.model)
    elif args.threads or not window.fit.resume():
        window.models.choose(preferences.value.model, ask=False)
    window.cameras.start(args.source)
    spare_collector()
    try:
        code = app.exec()
    finally:
        ended = all([window.pipeline.stop(), window.snapshots.finish(SNAPSHOTS_S)])  # both, also where one is late
        signal.set_wakeup_fd(-1)
        for end in sockets:
            end.close()
    if not ended:
        _leave_at_once(code)
    return code


def _leave_at_once(code: int) -> None:
    """Ends the process without tearing Python down: a thread that hangs in foreign code would come back into that."""
    logging.shutdown()
    os._exit(code)


def spare_collector() -> None:
    """What was made up to now stays: the garbage collector need not go through it again and again."""
    gc.freeze()


def make_application(argv: list[str]) -> QApplication:
    """The QApplication with name, icon, style and fonts."""
    with no_screen.said_in_words():
        app = QApplication(argv)
    app.setApplicationName("edgecam")
    app.setApplicationDisplayName("edgecam")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("edgecam")
    app.setStyle("Fusion")
    app.setWindowIcon(QIcon(str(resources.assets_folder() / "icon.svg")))
    for path in sorted((resources.assets_folder() / "fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(path))
    font = app.font()
    if "Inter" in QFontDatabase.families():
        font.setFamily("Inter")
    font.setPixelSize(14)
    app.setFont(font)
    return app


def _quit_on_signals(window: MainWindow) -> tuple[socket.socket, socket.socket]:
    """Ctrl-C and SIGTERM close the window like its own button; a socket wakes Qt, since it does not run Python."""
    receiver, sender = socket.socketpair()
    for end in (receiver, sender):
        end.setblocking(False)
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    notifier = QSocketNotifier(receiver.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda: window.close())
    return receiver, sender
