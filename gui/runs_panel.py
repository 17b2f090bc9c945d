"""The recorded runs: find, star, annotate, compare, open again, run again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ..sequences.engine.values import RunSummary
from .compare_panel import ComparePanel
from .runs_model import WIDEST, RunsModel
from .theme import Theme
from .widgets import Hinted, named

_KEEP = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
#: Lab seconds a second.
PACES = (1, 3, 10, 30, 100)


class RunsPanel(QWidget):
    """Emits what is wanted with a run, by its id."""

    refresh_wanted = Signal()
    open_wanted = Signal(str, float)  # run id, pace (0: at once)
    reuse_wanted = Signal(str)
    again_wanted = Signal(str)
    report_wanted = Signal(list)
    note_wanted = Signal(str, bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.search = named(QLineEdit(placeholderText="search name, status, note, #tag; ★ for starred"), "search")
        self.search.setClearButtonEnabled(True)
        self.refresh = self._button("Refresh", "refresh", "Look for new runs (F5)", self.refresh_wanted.emit)
        self.refresh.setShortcut("F5")
        self.open = self._button("Open", "open", "Show this run in the window (Enter)", lambda: self._ask_open(0.0))
        self.pace = named(QComboBox(), "pace", "How many lab seconds a second a replay shows")
        for pace in PACES:
            self.pace.addItem(f"×{pace}", pace)
        self.pace.setCurrentIndex(PACES.index(10))
        self.replay = self._button("Replay", "replay", "Play this run again in the window", self._ask_replay)
        self.reuse = self._button("Use settings", "reuse", "Fill the form with this run's settings", self._ask_reuse)
        self.again = self._button("Run again", "again", "Run with the settings of this run", self._ask_again)
        self.report = self._button(
            "Report", "report", "Write the report of the chosen runs and open it", self._ask_report
        )
        self.star = self._button("★", "star", "Star or unstar this run", self._ask_star)
        self.note = named(QLineEdit(placeholderText="note about the chosen run; words with # are tags"), "note")
        self.table = named(QTableView(), "runs")
        self.model = RunsModel()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        self._noted: list[str] = []  # the choice whose note is shown; one that is being typed stays
        self.compare = ComparePanel()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.compare)
        split.setSizes([450, 450])
        self.body = Hinted(split, "No recorded run in this folder yet.\nPress Run: every run is kept here.")
        bar = QHBoxLayout()
        bar.setContentsMargins(6, 4, 6, 0)
        for button in (self.open, self.replay, self.pace, self.reuse, self.again, self.report, self.star):
            bar.addWidget(button)
        bar.addStretch(1)
        bar.addWidget(self.refresh)
        words = QHBoxLayout()
        words.setContentsMargins(6, 0, 6, 0)
        words.addWidget(self.search, stretch=1)
        words.addWidget(self.note, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addLayout(words)
        layout.addWidget(self.body)
        self.search.textChanged.connect(self._search)
        self.note.returnPressed.connect(self._ask_note)
        self.table.activated.connect(lambda _: self._ask_open(0.0))  # Enter, or a double click
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_choice())
        self._show_choice()

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        self._fit_columns()
        self.compare.paint_theme(theme)
        self.model.bad = QBrush(QColor(theme.bad))

    def _fit_columns(self) -> None:
        metrics = self.table.fontMetrics()
        self.table.verticalHeader().setDefaultSectionSize(round(1.45 * metrics.height()))
        for column, text in enumerate(WIDEST):
            self.table.setColumnWidth(column, metrics.horizontalAdvance(text) + metrics.height())

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Lists these, keeping what is chosen."""
        before = {run.run_id for run in self.chosen()}
        self.model.show_runs(runs)
        self.body.show_content(bool(runs))
        selection = self.table.selectionModel()
        for row, run in enumerate(self.model.visible):
            if run.run_id in before:
                selection.select(self.model.index(row, 0), _KEEP)
        self._show_choice()

    def chosen(self) -> list[RunSummary]:
        """The runs selected, in the order of the table."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.visible[row] for row in rows]

    def _button(self, text: str, name: str, tip: str, slot: Callable[[], object]) -> QPushButton:
        button = named(QPushButton(text), name, tip)
        button.clicked.connect(lambda: slot())
        return button

    def _search(self, text: str) -> None:
        self.model.search(text)
        self._show_choice()

    def _show_choice(self) -> None:
        runs = self.chosen()
        for button in (self.open, self.replay, self.reuse, self.again):
            button.setEnabled(len(runs) == 1 and runs[0].status != "corrupt")
        self.star.setEnabled(len(runs) == 1)
        self.note.setEnabled(len(runs) == 1)
        if [run.run_id for run in runs] != self._noted or not self.note.hasFocus():
            self._noted = [run.run_id for run in runs]
            self.note.setText(runs[0].note if len(runs) == 1 else "")
        self.report.setEnabled(bool(runs) and all(run.status != "corrupt" for run in runs))
        self.compare.show_choice(runs, self.model.visible)

    def _ask_open(self, pace: float) -> None:
        if self.open.isEnabled():
            self.open_wanted.emit(self.chosen()[0].run_id, pace)

    def _ask_replay(self) -> None:
        self._ask_open(float(self.pace.currentData()))

    def _ask_again(self) -> None:
        self.again_wanted.emit(self.chosen()[0].run_id)

    def _ask_report(self) -> None:
        self.report_wanted.emit([run.run_id for run in self.chosen()])

    def _ask_reuse(self) -> None:
        self.reuse_wanted.emit(self.chosen()[0].run_id)

    def _ask_star(self) -> None:
        run = self.chosen()[0]
        self.note_wanted.emit(run.run_id, not run.star, run.note)

    def _ask_note(self) -> None:
        run = self.chosen()[0]
        self.note_wanted.emit(run.run_id, run.star, self.note.text())
