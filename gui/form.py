"""A form generated from the fields of a config; what is wrong is shown at the field."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLabel, QLineEdit, QWidget

from ..analysis.errors import UsageError
from ..analysis.value_list import FORMS
from .scan_text import EXAMPLE
from .schema import Field, flatten, nest
from .widgets import label, restyle


class Entry(QWidget):
    """Base of the inputs: one field, its value, and a line for what is wrong with it."""

    changed = Signal()

    def __init__(self, field: Field, editor: QWidget) -> None:
        super().__init__()
        self.field, self.editor = field, editor
        self.wrong, self.note = label("", "wrong", wrap=True), label("", "muted", wrap=True)
        self.wrong.hide()
        self.note.hide()
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(0)
        layout.addRow(editor)
        layout.addRow(self.note)
        layout.addRow(self.wrong)
        editor.setObjectName(field.path)
        editor.setToolTip(tooltip(field))
        editor.setAccessibleName(field.title)

    def complain(self, message: str) -> None:
        """Shows what is wrong, or with an empty text that nothing is."""
        self.wrong.setText(message)
        self.wrong.setVisible(bool(message))
        self.editor.setProperty("wrong", bool(message))
        restyle(self.editor)

    def value(self) -> Any:
        """What is entered. Raises UsageError saying what is allowed."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Puts a value in."""
        raise NotImplementedError


class TextEntry(Entry):
    """A number, list or text, typed with its unit: ``1.5 ms``."""

    def __init__(self, field: Field) -> None:
        self._line = QLineEdit()
        super().__init__(field, self._line)
        self._line.setPlaceholderText("not set" if field.optional else field.unit)
        self._line.textChanged.connect(self._spell_out)
        self.show_value(field.default)
        self._line.textEdited.connect(self.changed)

    def value(self) -> Any:
        return self.field.parse(self._line.text())

    def show_value(self, value: Any) -> None:
        self._line.setText(self.field.to_text(value))
        self._line.setCursorPosition(0)

    def _spell_out(self, text: str) -> None:
        words = self.field.preview(text)
        self.note.setText(words)
        self.note.setVisible(bool(words))


class CheckEntry(Entry):
    """Yes or no."""

    def __init__(self, field: Field) -> None:
        self._box = QCheckBox()
        super().__init__(field, self._box)
        self.show_value(field.default)
        self._box.clicked.connect(self.changed)

    def value(self) -> bool:
        return self._box.isChecked()

    def show_value(self, value: Any) -> None:
        self._box.setChecked(bool(value))


class ChoiceEntry(Entry):
    """One of a few values."""

    def __init__(self, field: Field) -> None:
        self._combo = QComboBox()
        for choice in field.choices:
            self._combo.addItem(str(choice), choice)
        super().__init__(field, self._combo)
        self.show_value(field.default)
        self._combo.activated.connect(self.changed)

    def value(self) -> Any:
        return self._combo.currentData()

    def show_value(self, value: Any) -> None:
        self._combo.setCurrentIndex(max(0, self._combo.findData(value)))


def entry(field: Field) -> Entry:
    """The input that suits the field."""
    kinds = {"boolean": CheckEntry, "choice": ChoiceEntry}
    return TextEntry(field) if field.many else kinds.get(field.kind, TextEntry)(field)


def tooltip(field: Field) -> str:
    """What the field is and what it may be."""
    ranged = field.many and field.kind in ("number", "integer")
    typed = f"e.g. {EXAMPLE if field.kind == 'scan' else FORMS}" if field.kind == "scan" or ranged else ""
    allowed = field.range_text() and f"allowed: {field.range_text()}"
    parts = [field.help, allowed, typed, f"config key: {field.path}"]
    return "\n".join(part for part in parts if part)


class ConfigForm(QWidget):
    """All fields of a config."""

    changed = Signal()

    def __init__(self, fields: list[Field]) -> None:
        super().__init__()
        self.fields = fields
        self.entries = {field.path: entry(field) for field in fields}
        layout = QFormLayout(self)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setVerticalSpacing(5)
        group = ""
        for field in sorted(fields, key=lambda field: bool(field.group)):  # those of no group first, else as declared
            if field.group != group:
                group = field.group
                layout.addRow(label(group.replace("_", " ").replace(".", " › "), "group"))
            name = QLabel(field.title)
            name.setToolTip(tooltip(field))
            if field.kind == "scan":  # a line of its own: it is long
                layout.addRow(name)
                layout.addRow(self.entries[field.path])
            else:
                layout.addRow(name, self.entries[field.path])
            self.entries[field.path].changed.connect(self.changed)

    def config(self) -> dict[str, Any] | None:
        """The config as entered, nested; None when a field cannot be read, which then says why."""
        values: dict[str, Any] = {}
        sound = True
        for path, entry in self.entries.items():
            try:
                values[path] = entry.value()
            except UsageError as error:
                entry.complain(str(error))
                sound = False
            else:
                entry.complain("")
        return nest(values) if sound else None

    def show_config(self, config: dict[str, Any]) -> None:
        """Puts the values of a config in; fields it does not name stay as they are."""
        for path, value in flatten(config, self.entries).items():
            if path in self.entries:
                self.entries[path].show_value(value)

    def complain(self, errors: dict[str, str]) -> list[str]:
        """Shows each error at its field; returns those that belong to no field."""
        homeless = []
        for path, message in errors.items():
            at = next((p for p in self.entries if path == p or path.startswith(p + ".")), None)
            if at is None:
                homeless.append(f"{path}: {message}" if path else message)
            else:
                self.entries[at].complain(message)
        return homeless
