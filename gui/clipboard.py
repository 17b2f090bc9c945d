"""Takes a plot out of the window: as a picture, as a table, as a script that draws it again."""

from __future__ import annotations

from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QWidget

from .plots import Plot
from .recipes import csv, plot_script


def plot_in_focus(window: QWidget) -> Plot | None:
    """The plot under the mouse, else the one last clicked, else the largest that is visible."""
    plots = [plot for plot in window.findChildren(Plot) if plot.isVisible()]
    under = [plot for plot in plots if plot.rect().contains(plot.mapFromGlobal(QCursor.pos()))]
    clicked = [plot for plot in plots if plot.hasFocus()]
    largest = sorted(plots, key=lambda plot: plot.width() * plot.height(), reverse=True)
    return next(iter([*under, *clicked, *largest]), None)


def copy_text(text: str) -> None:
    """Puts a text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def copy_picture(plot: Plot) -> None:
    """Puts the plot on the clipboard as it looks."""
    QGuiApplication.clipboard().setPixmap(plot.grab())


def copy_table(plot: Plot) -> None:
    """Puts the plot's numbers on the clipboard, as CSV."""
    copy_text(csv(plot.columns()))


def copy_script(plot: Plot, title: str) -> None:
    """Puts a script on the clipboard that draws the plot again."""
    copy_text(plot_script(title, plot.label("bottom"), plot.label("left"), plot.columns()))
