"""Where things are in the window: bars where there is room for them, floating buttons where there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from edgecam.gui.picture.live_view import MARGIN
from edgecam.gui.widgets.tool_buttons import ActionIcons, FloatingButtons, bar_button, menu_button

if TYPE_CHECKING:
    from edgecam.gui.actions import WindowActions
    from edgecam.gui.panel.side_panel import SidePanel
    from edgecam.gui.picture.live_view import LiveView
    from edgecam.gui.picture.state_panel import StatePanel
    from edgecam.gui.widgets.picker import Picker
    from edgecam.gui.widgets.status_line import StatusLine
    from edgecam.gui.widgets.theme import Theme
    from edgecam.gui.widgets.toast import Toast

# Below this there is no room for bars: the picture gets it all.
COMPACT_WH = (720, 520)
PANEL_NEEDS_WIDTH = 640
BAR_HEIGHT = 56


class WindowLayout:
    """Lays the parts out in `window` and rearranges them when its size or state changes."""

    def __init__(
        self, window: QWidget, actions: WindowActions, menu: QMenu, camera_picker: Picker, model_picker: Picker,
        view: LiveView, panel: SidePanel, status_line: StatusLine, state_panel: StatePanel, toast: Toast,
    ) -> None:  # fmt: skip
        self._window, self._view, self._panel, self._status_line = window, view, panel, status_line
        self._state_panel, self._toast = state_panel, toast
        self._icons = ActionIcons(
            [
                (actions.freeze, "freeze", "resume"),
                (actions.snapshot, "snapshot", "snapshot"),
                (actions.panel, "panel", "panel"),
                (actions.full_screen, "fullscreen", "unfullscreen"),
                (actions.more, "more", "more"),
            ]
        )
        self.bar = _bar([camera_picker, model_picker], actions, menu)
        self.floating = FloatingButtons(
            [actions.snapshot, actions.freeze, actions.panel, actions.full_screen], actions.more, menu, view
        )
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(view, 1)
        body.addWidget(panel)
        self._layout = QVBoxLayout(window)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.bar)
        self._layout.addLayout(body, 1)
        self._layout.addWidget(status_line)

    @property
    def compact(self) -> bool:
        """There is room for nothing but the picture, or the user wants nothing else."""
        window = self._window
        return window.isFullScreen() or window.width() < COMPACT_WH[0] or window.height() < COMPACT_WH[1]

    def fit(self, *, panel_wanted: bool) -> None:
        """Shows what there is room for, and puts what floats in its place."""
        compact = self.compact
        self.bar.setVisible(not compact)
        self._status_line.setVisible(not compact)
        self._panel.setVisible(panel_wanted and self._window.width() >= PANEL_NEEDS_WIDTH)
        self._view.set_margin(0 if compact else MARGIN)
        self.floating.setVisible(compact)
        self._layout.activate()
        self.floating.place()
        self._state_panel.recentre()
        self._toast.place()

    def apply_theme(self, theme: Theme) -> None:
        """Redraws the icons of the buttons."""
        self._icons.apply_theme(theme)


def _bar(pickers: list[Picker], actions: WindowActions, menu: QMenu) -> QFrame:
    bar = QFrame()
    bar.setObjectName("topBar")
    bar.setFixedHeight(BAR_HEIGHT)
    layout = QHBoxLayout(bar)
    layout.setContentsMargins(12, 0, 12, 0)
    layout.setSpacing(8)
    for picker in pickers:
        layout.addWidget(picker)
    layout.addStretch()
    for action in (actions.freeze, actions.snapshot, actions.panel, actions.full_screen):
        layout.addWidget(bar_button(action))
    layout.addWidget(menu_button(actions.more, menu))
    return bar
