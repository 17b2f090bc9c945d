"""What happened, in order and with the time."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from PySide6.QtWidgets import QPlainTextEdit

from . import names

_MAX_LINES = 5000


class LogPanel(QPlainTextEdit):
    """Lines of engine and window. Keeps the latest ``_MAX_LINES``."""

    def __init__(self) -> None:
        super().__init__(readOnly=True)
        self.setObjectName("log")
        self.setMaximumBlockCount(_MAX_LINES)
        self.setPlaceholderText("Nothing has happened yet.")

    def say(self, text: str, utc_s: float | None = None) -> None:
        """Adds a line, with the present time unless another is given."""
        when = datetime.now().astimezone() if utc_s is None else datetime.fromtimestamp(utc_s).astimezone()
        self.appendPlainText(f"{when:%H:%M:%S}  {text}")

    def tell(self, content: dict[str, Any], utc_s: float) -> None:
        """Adds the line a document deserves, if any."""
        line = describe(content)
        if line:
            self.say(line, utc_s)


def describe(content: dict[str, Any]) -> str:
    """One line for a document; empty for those that flow."""
    kind = content["type"]
    if kind == "RunStart":
        return f"{content['experiment'].replace('_', ' ')} started: {PurePath(content['path']).name}"
    if kind == "SettingStart":
        return f"setting {content['index'] + 1}: {content['name']}"
    if kind == "Validity":
        return f"{content['source']}: data {'count again' if content['valid'] else 'do not count'}: {content['reason']}"
    if kind == "RunStop":
        return f"run {content['status']}" + (f": {content['reason']}" if content["reason"] else "")
    if kind == "RunFailed":
        return f"run failed: {content['reason']}"
    if kind == "Log":
        return str(content["text"])
    if kind == "Tags" and content["overflow"]:
        lost = "an unknown number of" if content["missed"] < 0 else f"{content['missed']:,}"
        return f"{content['source']}: tagger overflow, {lost} clicks missed"
    return ""


def progress_text(fraction: float, message: str, remaining_s: float | None) -> str:
    """``34 % · 102 of 300 heralds · 2 min 5 s left``."""
    parts = [f"{fraction:.0%}", message]
    if remaining_s is not None:
        parts.append(f"{names.duration(remaining_s)} left")
    return "  ·  ".join(part for part in parts if part)
