"""One number to be read at a glance: what it is, its value, and below it the interval or what else belongs to it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from . import names
from .view_models import EstimateView
from .widgets import label


class Figure(QWidget):
    """Three lines: caption, value, note."""

    def __init__(self, caption: str = "") -> None:
        super().__init__()
        self.caption = label(caption, "caption")
        self.value = label("", "figure")
        self.note = label("", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for line in (self.caption, self.value, self.note):
            layout.addWidget(line)

    def show_texts(self, value: str, note: str = "") -> None:
        """Writes a value and the line below it."""
        self.value.setText(value)
        self.note.setText(note)

    def show_estimate(self, estimate: EstimateView | None) -> None:
        """Writes a result with its interval; a dash when there is none."""
        if estimate is None:
            self.show_texts("–")
        else:
            self.show_texts(*names.value_and_interval(estimate))
            self.setToolTip(f"{estimate.method}, {estimate.confidence:.0%}, {estimate.n:,} events")
