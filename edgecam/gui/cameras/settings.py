"""The dialog of one camera: its modes, its controls as the driver lists them, and how the picture is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from edgecam.camera.controls import ControlKind
from edgecam.camera.orientation import ROTATIONS, Orientation
from edgecam.gui.widgets.fields import CheckBox, ComboBox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.camera.base import CameraMode
    from edgecam.camera.controls import Control

_TURNED: Final = {0: "Not turned", 90: "90° clockwise", 180: "Upside down", 270: "90° anticlockwise"}
_MAX_STEPS: Final = 10_000


class CameraSettings(QDialog):
    """Shows what it is given and tells what the user did; acts at once.

    Signals:
        mode_chosen: CameraMode, or None for the default.
        orientation_chosen: Orientation.
        control_set: key and value.
        reset_wanted: all controls back to the driver's defaults.
    """

    mode_chosen = Signal(object)
    orientation_chosen = Signal(object)
    control_set = Signal(str, int)
    reset_wanted = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Settings of {name}")
        self.resize(460, 560)
        self.modes = ComboBox()
        self.modes.setAccessibleName("Mode")
        self.modes.setToolTip("Size, pixel format and rate, as the camera offers them")
        self.modes.activated.connect(self._on_mode)
        self.now = QLabel()
        self.now.setObjectName("dim")
        self.rotation = ComboBox()
        self.rotation.setAccessibleName("Turned")
        for degrees in ROTATIONS:
            self.rotation.addItem(_TURNED[degrees], degrees)
        self.mirror = CheckBox("Mirrored, left to right")
        self.rotation.activated.connect(self._on_orientation)
        self.mirror.clicked.connect(self._on_orientation)
        self.fields: dict[str, QWidget] = {}
        self._controls: dict[str, Control] = {}
        self._reset = QPushButton("Reset controls")
        self._reset.setToolTip("Sets every control to the driver's default")
        self._reset.clicked.connect(self.reset_wanted)
        self._build()

    def show_modes(self, modes: Sequence[CameraMode], wanted: CameraMode | None, now: CameraMode | None) -> None:
        """Lists `modes`, ticks the wanted one (None: the default), and says what the driver really gave."""
        self.modes.clear()
        self.modes.addItem("Best for a live view", None)
        for mode in sorted(modes, key=lambda mode: (-mode.width * mode.height, mode.pixel_format, -(mode.fps or 0))):
            self.modes.addItem(str(mode), mode)
            if mode == wanted:
                self.modes.setCurrentIndex(self.modes.count() - 1)
        self.modes.setEnabled(bool(modes))
        self.now.setText(f"The camera delivers {now}" if now else "")

    def show_orientation(self, orientation: Orientation) -> None:
        self.rotation.setCurrentIndex(ROTATIONS.index(orientation.rotation))
        self.mirror.setChecked(orientation.mirror)

    def show_controls(self, controls: Sequence[Control]) -> None:
        """Shows the controls; widgets that are there already only get their new values."""
        if list(self._controls) != [control.key for control in controls]:
            self._rebuild(controls)
        self._controls = {control.key: control for control in controls}
        for control in controls:
            self._show_value(control)
        self._reset.setEnabled(bool(controls))
        self._nothing.setVisible(not controls)

    # Building

    def _build(self) -> None:
        top = QFormLayout()
        top.addRow("Mode", self.modes)
        top.addRow("", self.now)
        top.addRow("Picture", self.rotation)
        top.addRow("", self.mirror)
        self._nothing = QLabel("This camera has no controls.")
        self._nothing.setObjectName("dim")
        self._form_place = QVBoxLayout()
        self._form_place.setContentsMargins(0, 0, 8, 0)
        self._form_place.addWidget(self._nothing)
        self._form_place.addStretch()
        content = QWidget()
        content.setLayout(self._form_place)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        close = QPushButton("Close")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self._reset)
        buttons.addStretch()
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addWidget(area, 1)
        layout.addLayout(buttons)
        self._area: QWidget | None = None
        self.show_controls(())

    def _rebuild(self, controls: Sequence[Control]) -> None:
        if self._area is not None:
            self._form_place.removeWidget(self._area)
            self._area.deleteLater()
        self._area = QWidget()
        form = QFormLayout(self._area)
        form.setContentsMargins(0, 0, 0, 0)
        self.fields = {}
        for control in controls:
            field = self.fields[control.key] = self._field(control)
            field.setAccessibleName(control.name)
            named = control.kind in (ControlKind.BOOLEAN, ControlKind.BUTTON)
            form.addRow("" if named else control.name, field)
        self._form_place.insertWidget(1, self._area)

    def _field(self, control: Control) -> QWidget:
        key = control.key
        if control.kind is ControlKind.BOOLEAN:
            box = CheckBox(control.name)
            box.clicked.connect(lambda checked: self.control_set.emit(key, int(checked)))
            return box
        if control.kind is ControlKind.BUTTON:
            button = QPushButton(control.name)
            button.clicked.connect(lambda: self.control_set.emit(key, 1))
            return button
        if control.kind is ControlKind.MENU:
            choices = ComboBox()
            for value, text in control.choices:
                choices.addItem(text, value)
            choices.activated.connect(lambda at: self.control_set.emit(key, choices.itemData(at)))
            return choices
        return _Slider(control, lambda value: self.control_set.emit(key, value))

    def _show_value(self, control: Control) -> None:
        field = self.fields[control.key]
        field.setEnabled(control.active)
        field.setToolTip("" if control.active else "An automatic control rules over this one")
        if isinstance(field, QCheckBox):
            field.setChecked(bool(control.value))
        elif isinstance(field, QComboBox):
            field.setCurrentIndex(field.findData(control.value))
        elif isinstance(field, _Slider):
            field.show_value(control.value)

    # What the user does

    def _on_mode(self, index: int) -> None:
        self.mode_chosen.emit(self.modes.itemData(index))

    def _on_orientation(self) -> None:
        self.orientation_chosen.emit(Orientation(self.rotation.currentData(), self.mirror.isChecked()))


class _Slider(QWidget):
    """A slider over the steps of a control, and its value in figures."""

    def __init__(self, control: Control, on_set: Callable[[int], None]) -> None:
        super().__init__()
        self._control = control
        # A control may have two thousand million steps; a slider has as many as can be told apart.
        span = control.maximum - control.minimum
        self._step = max(control.step, 1, -(-span // _MAX_STEPS))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, max(0, span // self._step))
        self.slider.setAccessibleName(control.name)
        self._figure = QLabel()
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._figure.setMinimumWidth(56)
        self._on_set = on_set
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self._figure)
        self.slider.valueChanged.connect(self._on_moved)

    def show_value(self, value: int) -> None:
        if self.slider.isSliderDown():
            return  # the hand is quicker than the driver
        self.slider.blockSignals(True)
        self.slider.setValue((value - self._control.minimum) // self._step)
        self.slider.blockSignals(False)
        self._figure.setText(str(value))

    def _on_moved(self, at: int) -> None:
        value = self._control.minimum + at * self._step
        self._figure.setText(str(value))
        self._on_set(value)
