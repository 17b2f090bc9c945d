"""The instrument tree: value, unit and age of every parameter, a filter, and edits within limits."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..analysis.errors import UsageError
from ..sequences.engine.values import InstrumentState, ParameterState, StationState
from . import names
from .instrument_values import parameter_tip, parse_setting, value_text
from .theme import Theme
from .widgets import Hinted, label, named

_NAME, _VALUE, _AGE = range(3)
_STATE = Qt.ItemDataRole.UserRole
#: A measured value older than this is no longer news.
STALE_S = 10.0
_LAMP_PX = 10


def lamp(colour: str) -> QIcon:
    """A small round light."""
    pixmap = QPixmap(_LAMP_PX, _LAMP_PX)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(1, 1, _LAMP_PX - 2, _LAMP_PX - 2)
    painter.end()
    return QIcon(pixmap)


class InstrumentPanel(QWidget):
    """Emits what the user wants set or read; shows what the engine says."""

    set_wanted = Signal(str, object)
    read_wanted = Signal(str)
    restart_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.filter = named(QLineEdit(placeholderText="filter, e.g. bias", clearButtonEnabled=True), "filter")
        self.tree = named(QTreeWidget(), "instruments")
        self.tree.setHeaderLabels(["parameter", "value", "age"])
        self.tree.setAlternatingRowColors(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(10)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_VALUE, _AGE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        self.tree.setItemDelegateForColumn(_VALUE, _ValueDelegate(self))
        self.restart = named(QPushButton("Restart"), "restart", "Choose an instrument to close and open it again")
        self.restart.setEnabled(False)
        self.refusal = label("", "wrong", wrap=True)
        self.refusal.hide()
        self.body = Hinted(self.tree, "No station is open yet.\nChoose one in the tool bar.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        above = QHBoxLayout()
        above.addWidget(self.filter, stretch=1)
        above.addWidget(self.restart)
        layout.addLayout(above)
        layout.addWidget(self.body)
        layout.addWidget(self.refusal)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._tops: list[QTreeWidgetItem] = []
        self._lamps: dict[str, QIcon] = {}
        self._bad = QBrush()
        self._muted = QBrush()
        self.filter.textChanged.connect(self._apply_filter)
        self.tree.itemDoubleClicked.connect(self._begin)
        self.tree.itemActivated.connect(self._begin)
        self.tree.currentItemChanged.connect(self._offer_restart)
        self.restart.clicked.connect(lambda: self.restart_wanted.emit(self._chosen()))

    def paint(self, theme: Theme) -> None:
        """Takes the theme's colours on."""
        metrics = self.tree.fontMetrics()
        for column, widest in ((_VALUE, "194.95 THz"), (_AGE, "59 min")):
            self.tree.setColumnWidth(column, metrics.horizontalAdvance(widest) + metrics.height())
        self._bad, self._muted = QBrush(QColor(theme.bad)), QBrush(QColor(theme.muted))
        self._lamps = {"answers": lamp(theme.good), "silent": lamp(theme.bad), "unknown": lamp(theme.muted)}

    def show_station(self, station: StationState) -> None:
        """Brings the tree up to date, keeping selection, folding and an edit that is under way."""
        if self.tree.state() == QAbstractItemView.State.EditingState:
            return
        if [p.name for i in station.instruments for p in i.parameters] != list(self._items):
            self._rebuild(station)
        for top, instrument in zip(self._tops, station.instruments, strict=True):
            self._show_health(top, instrument)
            for parameter in instrument.parameters:
                self._show(self._items[parameter.name], parameter, station.now_utc_s)
        self.body.show_content(bool(self._items))

    def value(self, name: str) -> Any:
        """A parameter's value as last shown; None when unknown."""
        item = self._items.get(name)
        return None if item is None else item.data(_VALUE, _STATE).value

    def show_refusal(self, message: str) -> None:
        """Says why a setting was refused; an empty text when it was not."""
        self.refusal.setText(message)
        self.refusal.setVisible(bool(message))

    def request(self, state: ParameterState, typed: Any) -> None:
        """Asks for a setting as typed by the user."""
        try:
            value = parse_setting(state, typed)
        except UsageError as error:
            self.show_refusal(f"{state.name}: {error}")
            return
        self.show_refusal("")
        self.set_wanted.emit(state.name, value)

    def _rebuild(self, station: StationState) -> None:
        self._items.clear()
        self._tops.clear()
        self.tree.clear()
        for instrument in station.instruments:
            top = QTreeWidgetItem([instrument.name, "", ""])
            self.tree.addTopLevelItem(top)
            top.setExpanded(True)
            self._tops.append(top)
            for parameter in instrument.parameters:
                item = QTreeWidgetItem(top)
                item.setText(_NAME, parameter.name.split(".", 1)[1])
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                item.setToolTip(_NAME, parameter_tip(parameter))
                item.setTextAlignment(_VALUE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self._items[parameter.name] = item
        self._apply_filter(self.filter.text())

    def _show_health(self, top: QTreeWidgetItem, instrument: InstrumentState) -> None:
        state = "silent" if instrument.failure else "unknown" if instrument.answered_utc_s is None else "answers"
        if top.data(_VALUE, _STATE) != state and self._lamps:
            top.setData(_VALUE, _STATE, state)
            top.setIcon(_NAME, self._lamps[state])
        words = {"silent": instrument.failure, "unknown": "not asked yet", "answers": "answers"}[state]
        top.setToolTip(_NAME, f"{instrument.kind}: {words}")

    def _chosen(self) -> str:
        """The instrument that is selected, itself or by one of its parameters; empty when none is."""
        item = self.tree.currentItem()
        if item is None:
            return ""
        return (item.parent() or item).text(_NAME)

    def _offer_restart(self) -> None:
        name = self._chosen()
        self.restart.setEnabled(bool(name))
        self.restart.setToolTip(f"Close {name} and open it again" if name else "Choose an instrument first")

    def _show(self, item: QTreeWidgetItem, parameter: ParameterState, now_s: float) -> None:
        old = None if parameter.read_utc_s is None else now_s - parameter.read_utc_s
        item.setData(_VALUE, _STATE, parameter)
        _set_text(item, _VALUE, value_text(parameter))
        _set_text(item, _AGE, names.age(old))
        measured = not parameter.settable
        stale = measured and (old is None or old > STALE_S)
        item.setForeground(_AGE, self._bad if stale else self._muted)

    def _apply_filter(self, text: str) -> None:
        words = text.lower().split()
        for name, item in self._items.items():
            item.setHidden(not all(word in name.lower() for word in words))
        for top in self._tops:
            mine = (item for name, item in self._items.items() if item.parent() is top)
            top.setHidden(all(item.isHidden() for item in mine))

    def _begin(self, item: QTreeWidgetItem) -> None:
        state = item.data(_VALUE, _STATE)
        if not isinstance(state, ParameterState):
            return
        if isinstance(state.value, bool) and state.settable:
            self.request(state, not state.value)
        elif state.settable:
            self.tree.editItem(item, _VALUE)
        else:
            self.read_wanted.emit(state.name)


class _ValueDelegate(QStyledItemDelegate):
    """Edits a value as text with its unit, or as one of its choices."""

    def __init__(self, panel: InstrumentPanel) -> None:
        super().__init__(panel)
        self._panel = panel

    def createEditor(  # noqa: N802
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        state: ParameterState = index.data(_STATE)
        if not state.choices:
            return QLineEdit(value_text(state), parent)
        combo = QComboBox(parent)
        for choice in state.choices:
            combo.addItem(str(choice), choice)
        combo.setCurrentIndex(combo.findData(state.value))
        return combo

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:  # noqa: N802
        if isinstance(editor, QLineEdit):
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: Any, index: QModelIndex | QPersistentModelIndex) -> None:  # noqa: N802
        typed = editor.currentData() if isinstance(editor, QComboBox) else editor.text()  # type: ignore[attr-defined]
        self._panel.request(index.data(_STATE), typed)


def _set_text(item: QTreeWidgetItem, column: int, text: str) -> None:
    if item.text(column) != text:
        item.setText(column, text)
