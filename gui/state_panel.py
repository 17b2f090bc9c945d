"""The density matrix of the run as it sharpens: real part, imaginary part, and what follows from it."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from . import names
from .figure import Figure
from .state_plot import StatePlot
from .theme import Theme
from .view_models import RunView
from .widgets import Hinted, label, named

_MOST_FIGURES = 4
_FIGURES = ("fidelity", "purity", "concurrence", "negativity")


class StatePanel(QWidget):
    """One of the run's states."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = named(QComboBox(), "state", "Which state of the run to draw")
        self.choice.setMinimumContentsLength(14)
        self.figures = [Figure() for _ in range(_MOST_FIGURES)]
        self.real, self.imaginary = StatePlot(), StatePlot()
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 3, 8, 0)
        bar.addWidget(QLabel("state"))
        bar.addWidget(self.choice)
        bar.addSpacing(16)
        for figure in self.figures:
            bar.addWidget(figure, stretch=1)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addLayout(bar, 0, 0, 1, 2)
        for column, (text, plot) in enumerate((("real part of ρ", self.real), ("imaginary part of ρ", self.imaginary))):
            grid.addWidget(label(f"  {text}", "caption"), 1, column)
            grid.addWidget(plot, 2, column)
        grid.setRowStretch(2, 1)
        self.body = Hinted(
            page, "No density matrix yet.\nRun an experiment with tomography; the state appears here as it sharpens."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.body)
        self._run = RunView()
        self.choice.activated.connect(self._draw)

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self.real.paint(theme)
        self.imaginary.paint(theme)

    def show_run(self, run: RunView) -> None:
        """Draws the run as it stands."""
        self._run = run
        if [self.choice.itemData(k) for k in range(self.choice.count())] != list(run.states):
            before = self.choice.currentData()
            self.choice.clear()
            for name in run.states:
                self.choice.addItem(names.title(name), name)
            self.choice.setCurrentIndex(max(0, self.choice.findData(before)))
        self.body.show_content(bool(run.states))
        self._draw()

    def _draw(self) -> None:
        state = self._run.states.get(self.choice.currentData())
        if state is None:
            return
        self.real.show_matrix(np.ascontiguousarray(state.real))
        self.imaginary.show_matrix(np.ascontiguousarray(state.imag))
        known = [self._run.estimates[name] for name in self._run.estimates if name.split("_")[0] in _FIGURES]
        for k, figure in enumerate(self.figures):
            figure.setVisible(k < len(known))
            if k < len(known):
                figure.caption.setText(names.title(known[k].name, known[k].unit))
                figure.show_estimate(known[k])
