"""What a run would ask of the lab before it is started: each demand, what is allowed, and the verdict."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QResizeEvent

from ..analysis.quantity import format_quantity
from . import names
from .table import Cell, Table

_DEMAND, _VALUE, _ALLOWED = range(3)
_ROLES = {"refused": "bad", "warning": "warn", "ok": ""}
_WORST_FIRST = tuple(_ROLES)
#: A table narrower than this many letters leaves out what is allowed where all is well; the tool tips say it.
_NARROW = 64


def amount(value: float | None, unit: str) -> str:
    """A value of the budget with its unit."""
    if value is None:
        return "not known"
    if unit == "s" and value >= 60:
        return names.duration(value)
    return f"{value:,.0f}" if not unit and abs(value) >= 1000 else format_quantity(value, unit, 4)


def verdict(lines: list[dict[str, Any]]) -> str:
    """The whole budget in a few words."""
    refused, warned = (sum(line["verdict"] == kind for line in lines) for kind in ("refused", "warning"))
    found = [f"{n} {word}" for n, word in ((refused, "refused"), (warned, "in doubt")) if n]
    return ", ".join(found) or "ok"


class BudgetTable(Table):
    """One row a line of the budget, worst first; hidden while there is none."""

    def __init__(self) -> None:
        tip = "What this run would ask of the lab, worked out without touching it"
        super().__init__("budget", ("dry run", "", "allowed"), wide=_DEMAND, right=(_VALUE,), tip=tip)
        self._budget: list[dict[str, Any]] = []
        self.setSelectionMode(Table.SelectionMode.NoSelection)
        self.hide()

    def show_budget(self, lines: list[dict[str, Any]]) -> None:
        """Lists ``{name, value, unit, allowed, verdict, reason}``."""
        self._budget = sorted(lines, key=lambda line: _WORST_FIRST.index(line["verdict"]))
        self.set_columns((f"dry run: {verdict(lines)}", "", "allowed"))
        self.show_rows([line["name"] for line in self._budget], [_row(line) for line in self._budget])
        self._make_room()
        self.setVisible(bool(lines))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leaves out what there is no room for."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        narrow = self.width() < _NARROW * self.fontMetrics().averageCharWidth()
        well = all(line["verdict"] == "ok" for line in self._budget)
        self.setColumnHidden(_ALLOWED, narrow and well)


def _row(line: dict[str, Any]) -> tuple[Cell, Cell, Cell]:
    role = _ROLES[line["verdict"]]
    allowed = f", allowed {line['allowed']}" if line["allowed"] else ""
    tip = f"{line['verdict']}{allowed}: {line['reason'] or line['name'].replace('_', ' ')}"
    demand, value = line["name"].replace("_", " "), amount(line["value"], line["unit"])
    return Cell(demand, role, tip), Cell(value, role, tip), Cell(line["allowed"], role or "muted", tip)
