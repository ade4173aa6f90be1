"""The doctor in the window: what keeps edgecam from working here, to read and to copy."""

from __future__ import annotations

import html
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from edgecam.doctor.examination import examine, report, summary
from edgecam.doctor.finding import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.gui.widgets.theme import Theme

WORST_FIRST = (Verdict.PROBLEM, Verdict.WARNING, Verdict.OK)


class DoctorDialog(QDialog):
    """Examines the machine in a thread of its own and shows each finding as it comes, in the end the worst first.

    Args:
        theme: gives the colours of the verdicts.
        look: what examines; told where to say each finding.
    """

    found = Signal(object)
    finished_looking = Signal(object)

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        look: Callable[[Callable[[Finding], None]], list[Finding]] = examine,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Check of this machine")
        self.resize(720, 520)
        self._colours = {Verdict.OK: theme.good, Verdict.WARNING: theme.warning, Verdict.PROBLEM: theme.problem}
        self._look = look
        self.text = ""
        self.view = QTextBrowser()
        self.view.setAccessibleName("Findings")
        self.summary = QLabel("Looking …")
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copies everything, to be pasted into a question")
        self.copy.setEnabled(False)
        close = QPushButton("Close")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.summary, 1)
        buttons.addWidget(self.copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(self.view)
        layout.addLayout(buttons)
        self.found.connect(self._show)
        self.finished_looking.connect(self._finish)
        self._thread = threading.Thread(target=self._examine, name="doctor", daemon=True)
        self._thread.start()

    def _examine(self) -> None:
        # The dialog may be gone before the last finding: then there is nobody left to tell.
        try:
            findings = self._look(self.found.emit)
            self.finished_looking.emit(findings)
        except RuntimeError:
            return

    def _show(self, finding: Finding) -> None:
        colour = self._colours[finding.verdict]
        line = (
            f'<span style="color:{colour}">●</span>&nbsp;<b>{html.escape(finding.what)}</b> {html.escape(finding.text)}'
        )
        if finding.remedy:
            line += f'<br><span style="color:{colour}">&nbsp;&nbsp;&nbsp;→ {html.escape(finding.remedy)}</span>'
        self.view.append(line)

    def _finish(self, findings: list[Finding]) -> None:
        self.text = report(findings)
        self.view.clear()
        for finding in sorted(findings, key=lambda finding: WORST_FIRST.index(finding.verdict)):
            self._show(finding)
        self.view.verticalScrollBar().setValue(0)
        self.summary.setText(summary(findings))
        self.copy.setEnabled(True)
