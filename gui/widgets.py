"""Small widgets and habits every panel shares."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, tip: str = "") -> W:
    """The widget, with the name tests and styles find it by and words for who hovers over it."""
    widget.setObjectName(name)
    widget.setToolTip(tip)
    return widget


def label(text: str, role: str = "", wrap: bool = False) -> QLabel:
    """A text in one of the roles of the style sheet."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setMinimumWidth(1)  # a long text is cut rather than the window widened
    return made


def restyle(widget: QWidget) -> None:
    """Makes a changed property show in the style."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Hinted(QStackedWidget):
    """A panel, or while it is empty the words that say what to do next."""

    def __init__(self, content: QWidget, hint: str) -> None:
        super().__init__()
        page = QWidget()
        layout = QVBoxLayout(page)
        self.hint = label(hint, "muted", wrap=True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.hint)
        self.addWidget(page)
        self.addWidget(content)

    def show_content(self, there_is: bool) -> None:
        """Content when there is any, the hint otherwise."""
        self.setCurrentIndex(int(there_is))
