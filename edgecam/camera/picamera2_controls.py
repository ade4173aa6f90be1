"""What libcamera lets one set on a Raspberry Pi camera, as sliders, switches and lists of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from edgecam.camera.controls import Control, ControlKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    Choices = tuple[tuple[int, str], ...]

_WHITE_BALANCES: Final = (
    (0, "Automatic"), (1, "Incandescent"), (2, "Tungsten"), (3, "Fluorescent"), (4, "Indoor"), (5, "Daylight"),
    (6, "Cloudy"),
)  # fmt: skip
_FOCUS_MODES: Final = ((0, "Manual"), (1, "Once, on demand"), (2, "Continuous"))
_MANUAL_FOCUS: Final = 0
_FREQUENCIES: Final = ((0, "Off"), (1, "50 Hz"), (2, "60 Hz"))
# Lamps flicker twice in each period of the mains (µs).
_FLICKER_PERIODS_US: Final = {1: 10_000, 2: 8_333}
_FLICKER_OFF, _FLICKER_MANUAL = 0, 1


@dataclass(frozen=True, slots=True)
class _Spec:
    """One of libcamera's controls; `per_unit` of our whole numbers make one of its own."""

    key: str
    name: str
    libcamera: str
    per_unit: int = 1
    choices: Choices = ()


_SPECS: Final = (
    _Spec("automatic_exposure", "Automatic exposure", "AeEnable"),
    _Spec("exposure_time", "Exposure time, µs", "ExposureTime"),
    _Spec("gain", "Gain, %", "AnalogueGain", 100),
    _Spec("exposure_value", "Exposure compensation, hundredths", "ExposureValue", 100),
    _Spec("automatic_white_balance", "Automatic white balance", "AwbEnable"),
    _Spec("white_balance", "White balance", "AwbMode", 1, _WHITE_BALANCES),
    _Spec("focus_mode", "Focus", "AfMode", 1, _FOCUS_MODES),
    _Spec("lens_position", "Focus, hundredths of dioptres", "LensPosition", 100),
    _Spec("power_line_frequency", "Power line frequency", "AeFlickerMode", 1, _FREQUENCIES),
    _Spec("brightness", "Brightness, %", "Brightness", 100),
    _Spec("contrast", "Contrast, %", "Contrast", 100),
    _Spec("saturation", "Saturation, %", "Saturation", 100),
    _Spec("sharpness", "Sharpness, %", "Sharpness", 100),
)


def list_controls(
    offered: Mapping[str, tuple[Any, Any, Any]], told: Mapping[str, Any], settings: Mapping[str, int], fps: float
) -> list[Control]:
    """Those of libcamera's controls that a user needs and the camera has.

    Args:
        offered: minimum, maximum and default by libcamera's name (`Picamera2.camera_controls`).
        told: what the last frame was taken with, by libcamera's name (its metadata).
        settings: what was set, by our key.
        fps: the frame rate, which bounds the exposure.
    """
    specs = [spec for spec in _SPECS if spec.libcamera in offered]
    controls = {spec.key: _control(spec, offered[spec.libcamera], told, settings, fps) for spec in specs}

    def is_on(key: str) -> bool:
        return key in controls and controls[key].value != 0

    ruled = {
        "exposure_time": is_on("automatic_exposure"),
        "gain": is_on("automatic_exposure"),
        "exposure_value": not is_on("automatic_exposure"),
        "white_balance": not is_on("automatic_white_balance"),
        "lens_position": is_on("focus_mode"),
    }
    return [_inactive(control) if ruled.get(key, False) else control for key, control in controls.items()]


def in_libcameras_words(
    offered: Mapping[str, tuple[Any, Any, Any]], key: str, value: int, fps: float
) -> dict[str, int | float | bool]:
    """What to give to `Picamera2.set_controls` for a control of ours.

    Raises:
        KeyError: the camera has no such control.
        ValueError: the value is out of its range.
    """
    spec = next((spec for spec in _SPECS if spec.key == key and spec.libcamera in offered), None)
    if spec is None:
        raise KeyError(key)
    control = _control(spec, offered[spec.libcamera], {}, {}, fps)
    if not control.minimum <= value <= control.maximum:
        raise ValueError(f"it goes from {control.minimum} to {control.maximum}")
    if control.choices and value not in dict(control.choices):
        raise ValueError("there is no such choice")
    if key == "power_line_frequency":
        if value not in _FLICKER_PERIODS_US:
            return {"AeFlickerMode": _FLICKER_OFF}
        return {"AeFlickerMode": _FLICKER_MANUAL, "AeFlickerPeriod": _FLICKER_PERIODS_US[value]}
    if control.kind is ControlKind.BOOLEAN:
        return {spec.libcamera: bool(value)}
    return {spec.libcamera: value if spec.per_unit == 1 else value / spec.per_unit}


def _control(
    spec: _Spec, limits: tuple[Any, Any, Any], told: Mapping[str, Any], settings: Mapping[str, int], fps: float
) -> Control:
    lowest, highest, default = limits
    if spec.libcamera == "ExposureTime":
        highest = min(highest, int(1e6 / fps))
    choices = tuple(choice for choice in spec.choices if lowest <= choice[0] <= highest)
    if spec.key == "power_line_frequency":
        # libcamera's modes are off, manual and perhaps automatic: the period is a control of its own.
        lowest, highest, default, choices = 0, len(_FREQUENCIES) - 1, 0, spec.choices

    def ours(value: Any) -> int:
        return round(float(max(lowest, min(highest, value))) * spec.per_unit)

    first = ours(lowest if default is None else default)
    kind = ControlKind.BOOLEAN if isinstance(lowest, bool) else ControlKind.MENU if choices else ControlKind.INTEGER
    if spec.libcamera in ("AeEnable", "AwbEnable"):
        first = 1  # libcamera tells no default for them: both begin switched on
    value = settings.get(spec.key)
    if value is None:
        is_measured = spec.libcamera in told and kind is ControlKind.INTEGER
        value = ours(told[spec.libcamera]) if is_measured else first
    return Control(spec.key, spec.name, kind, ours(lowest), ours(highest), 1, first, value, choices)


def _inactive(control: Control) -> Control:
    return replace(control, active=False)
