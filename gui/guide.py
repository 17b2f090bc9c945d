"""The first run, step by step: what to do next, said where it is done. Goes on by itself as things happen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from .widgets import label, named

STEPS = (
    "Welcome. On the right is an experiment with its settings; the values proposed are good. Press Run (Ctrl+R).",
    "It runs. Below are the count rates, in the middle the delays between clicks; results follow with their intervals.",
    "Results sharpen with time. Look into the tabs Heralds and Correlations; ALL OFF, top right, stops everything.",
    "The run is recorded. The Runs tab holds it: open, compare, report. Ctrl+Shift+R copies it as a command.",
)
STARTED, RESULT, ENDED = range(1, 4)


class Guide(QFrame):
    """Emits ``closed`` when the user has seen it to the end or had enough."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        named(self, "guide")
        self.text = label("", wrap=True)
        self.next = named(QPushButton("Next"), "guide_next", "The next step")
        self.close_button = named(QPushButton("Close"), "guide_close", "Do without; Ctrl+H brings it back")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 6, 3)
        layout.addWidget(self.text, stretch=1)
        layout.addWidget(self.next)
        layout.addWidget(self.close_button)
        self.step = 0
        self.next.clicked.connect(lambda: self.reach(self.step + 1))
        self.close_button.clicked.connect(self._leave)
        self.hide()

    def begin(self) -> None:
        """Shows the first step."""
        self.step = 0
        self._show()
        self.show()

    def reach(self, step: int) -> None:
        """Goes on to a step; never back, and past the last one it leaves."""
        if self.isHidden() or step <= self.step:
            return
        self.step = step
        if step >= len(STEPS):
            self._leave()
        else:
            self._show()

    def _show(self) -> None:
        self.text.setText(f"{self.step + 1}/{len(STEPS)}  {STEPS[self.step]}")
        self.next.setText("Done" if self.step == len(STEPS) - 1 else "Next")

    def _leave(self) -> None:
        self.hide()
        self.closed.emit()
