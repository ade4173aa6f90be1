"""Colours of the window, dark and light, and the style sheet made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, as #rrggbb."""

    dark: bool
    bar: str
    panel: str
    view: str
    raised: str
    hover: str
    line: str
    text: str
    dim: str
    faint: str
    accent: str
    groove: str
    good: str
    warning: str
    problem: str


DARK: Final = Theme(
    dark=True, bar="#1b1e26", panel="#1a1d25", view="#08090c", raised="#262a35", hover="#303542", line="#2c313c",
    text="#f2f4f8", dim="#9aa1ae", faint="#6a7180", accent="#4db8ff", groove="#353a46",
    good="#4ade80", warning="#ffb454", problem="#ff6b6b",
)  # fmt: skip
LIGHT: Final = Theme(
    dark=False, bar="#ffffff", panel="#f7f8fa", view="#e6e9ee", raised="#eef0f4", hover="#e1e5eb", line="#d8dce3",
    text="#171a20", dim="#59606d", faint="#9298a3", accent="#0b6fd0", groove="#cdd2db",
    good="#1c9c50", warning="#a65d00", problem="#c8322b",
)  # fmt: skip

# Boxes and tags: bright enough for black text, far apart for neighbours, by class_id modulo their number.
CLASS_COLOURS: Final = (
    "#4db8ff", "#ffb454", "#7bd88f", "#c792ea", "#f5e663", "#4fd6be", "#ff8f8f", "#d7a77f", "#9db4ff", "#f78fd0",
    "#b5e853", "#8fe3ff",
)  # fmt: skip


def class_colour(class_id: int) -> QColor:
    """The colour of a class; the same at every start."""
    return QColor(CLASS_COLOURS[class_id % len(CLASS_COLOURS)])


def apply_theme(app: QApplication, choice: str) -> Theme:
    """Makes the whole application dark or light; `choice` is "system", "dark" or "light"."""
    wanted = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}.get(choice, Qt.ColorScheme.Unknown)
    hints = app.styleHints()
    if hints.colorScheme() != wanted:
        hints.setColorScheme(wanted)
    # Where the desktop does not tell, dark: a picture looks best in it.
    light = choice == "light" or (choice == "system" and hints.colorScheme() == Qt.ColorScheme.Light)
    theme = LIGHT if light else DARK
    app.setPalette(_palette(theme))
    app.setStyleSheet(_style_sheet(theme))
    return theme


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.panel,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.bar,
        QPalette.ColorRole.AlternateBase: theme.raised,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.dim,
        QPalette.ColorRole.Button: theme.raised,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipBase: theme.raised,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: "#000000" if theme.dark else "#ffffff",
        QPalette.ColorRole.Link: theme.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.dim))
    return palette


def _style_sheet(t: Theme) -> str:
    return f"""
    QWidget {{ color: {t.text}; font-size: 14px; }}
    QToolTip {{ color: {t.text}; background: {t.raised}; border: 1px solid {t.line}; padding: 4px 6px; }}
    #topBar {{ background: {t.bar}; border-bottom: 1px solid {t.line}; }}
    #statusLine {{ background: {t.bar}; border-top: 1px solid {t.line}; }}
    #statusLine QLabel {{ color: {t.dim}; font-size: 13px; }}
    #sidePanel {{ background: {t.panel}; border-left: 1px solid {t.line}; }}
    #sidePanel QScrollArea, #sidePanel QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    #section {{ color: {t.dim}; font-size: 12px; font-weight: 600; }}
    #dim, #count {{ color: {t.dim}; }}
    #separator {{ background: {t.line}; }}
    QPushButton, #picker {{
        background: {t.raised}; border: 1px solid {t.line}; border-radius: 8px; padding: 8px 16px; min-height: 22px;
    }}
    QPushButton:hover, #picker:hover {{ background: {t.hover}; }}
    QPushButton:focus, QToolButton:focus, #picker:focus {{ border: 1px solid {t.accent}; outline: none; }}
    QPushButton:disabled {{ color: {t.dim}; }}
    #link {{ background: transparent; border: 1px solid transparent; color: {t.accent}; font-size: 12px;
             padding: 2px 4px; min-height: 18px; }}
    #link:hover {{ text-decoration: underline; background: transparent; }}
    QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 8px; }}
    QToolButton:hover {{ background: {t.hover}; }}
    QToolButton:checked {{ background: {t.raised}; border: 1px solid {t.line}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QMenu {{ background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; padding: 6px; }}
    QMenu::item {{ padding: 10px 18px 10px 12px; border-radius: 6px; }}
    QMenu::item:selected {{ background: {t.hover}; }}
    QMenu::item:disabled {{ color: {t.dim}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 6px 4px; }}
    QMenu::indicator {{ width: 14px; height: 14px; margin-left: 6px; }}
    QSlider {{ min-height: 28px; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.groove}; }}
    QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {t.accent}; }}
    QSlider::handle:horizontal {{
        width: 16px; height: 16px; margin: -6px 0; border-radius: 8px; background: {"#ffffff" if t.dark else t.accent};
    }}
    QSlider::sub-page:horizontal:disabled {{ background: {t.groove}; }}
    QSlider::handle:horizontal:disabled {{ background: {t.dim}; }}
    QPushButton#link:disabled {{ color: {t.dim}; }}
    QLabel:disabled {{ color: {t.dim}; }}
    QPlainTextEdit, QTextBrowser, QTextEdit {{
        background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; padding: 6px;
    }}
    QSlider:focus {{ border: none; }}
    QSlider::handle:horizontal:focus {{ border: 2px solid {t.accent}; }}
    QLineEdit {{ background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; padding: 8px 10px; }}
    QLineEdit:focus {{ border: 1px solid {t.accent}; }}
    QListWidget {{ background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; padding: 4px; }}
    QListWidget::item {{ padding: 6px; }}
    QComboBox {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 8px; padding: 6px 12px; }}
    QComboBox:hover {{ background: {t.hover}; }}
    QComboBox:focus {{ border: 1px solid {t.accent}; }}
    QComboBox:disabled {{ color: {t.dim}; }}
    QComboBox::drop-down {{ border: none; width: 28px; }}
    QComboBox QAbstractItemView {{ background: {t.bar}; border: 1px solid {t.line}; padding: 4px; }}
    QCheckBox {{ spacing: 10px; min-height: 28px; }}
    QCheckBox:disabled {{ color: {t.faint}; }}
    QCheckBox::indicator {{
        width: 16px; height: 16px; border: 1px solid {t.dim}; border-radius: 5px; background: {t.bar};
    }}
    QCheckBox::indicator:checked {{ background: {t.accent}; border: 1px solid {t.accent}; }}
    QCheckBox::indicator:focus {{ border: 2px solid {t.accent}; }}
    QCheckBox::indicator:disabled {{ background: {t.groove}; border: 1px solid {t.groove}; }}
    QCheckBox::indicator:checked:disabled {{ background: {t.groove}; border: 1px solid {t.groove}; }}
    QAbstractSpinBox {{
        background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; padding: 6px 30px 6px 10px;
        selection-background-color: {t.accent}; selection-color: {"#000000" if t.dark else "#ffffff"};
    }}
    QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; }}
    QAbstractSpinBox:focus {{ border: 1px solid {t.accent}; }}
    QAbstractSpinBox:disabled {{ color: {t.faint}; background: {t.panel}; border: 1px solid {t.line}; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
        subcontrol-origin: border; width: 28px; border: none; background: transparent;
    }}
    QAbstractSpinBox::up-button {{ subcontrol-position: top right; border-top-right-radius: 7px; margin: 1px 1px 0 0; }}
    QAbstractSpinBox::down-button {{
        subcontrol-position: bottom right; border-bottom-right-radius: 7px; margin: 0 1px 1px 0;
    }}
    QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {t.hover}; }}
    QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{ image: none; width: 0; height: 0; }}
    QRadioButton {{ spacing: 10px; min-height: 28px; }}
    QRadioButton:disabled {{ color: {t.faint}; }}
    QRadioButton::indicator {{
        width: 16px; height: 16px; border: 1px solid {t.dim}; border-radius: 9px; background: {t.bar};
    }}
    QRadioButton::indicator:checked {{ background: {t.bar}; width: 8px; height: 8px; border: 5px solid {t.accent}; }}
    QRadioButton::indicator:disabled {{ border-color: {t.groove}; }}
    QRadioButton::indicator:focus {{ border-color: {t.accent}; }}
    QProgressBar {{ background: {t.groove}; border: none; border-radius: 3px; max-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QTableWidget {{ background: {t.bar}; border: 1px solid {t.line}; border-radius: 8px; outline: none; }}
    QTableWidget::item {{ padding: 4px 12px; }}
    QTableWidget::item:selected {{ background: {t.hover}; color: {t.text}; }}
    QHeaderView, QHeaderView::section {{ background: {t.bar}; color: {t.dim}; border: none; font-size: 12px; }}
    QHeaderView::section {{ padding: 8px 12px; border-bottom: 1px solid {t.line}; }}
    QDialog {{ background: {t.panel}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; }}
    QScrollBar::handle:vertical {{ background: {t.groove}; border-radius: 5px; min-height: 30px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
    """
