"""Colours of the window: two themes, and the Okabe-Ito palette that colour-blind eyes tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as ``#rrggbb``; ``series`` are for curves, in order."""

    name: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    good: str
    warn: str
    bad: str
    series: tuple[str, ...]


DARK = Theme(
    name="dark",
    window="#12161b",
    panel="#181d23",
    raised="#232a32",
    line="#343d47",
    text="#dce3ea",
    muted="#93a1b0",
    accent="#56b4e9",
    good="#2cc295",
    warn="#e69f00",
    bad="#e0583c",
    series=("#56b4e9", "#e69f00", "#2cc295", "#cc79a7", "#f0e442", "#d55e00", "#9aa7ff", "#b8c2cc"),
)
LIGHT = Theme(
    name="light",
    window="#eef1f4",
    panel="#ffffff",
    raised="#e2e7ec",
    line="#c3ccd5",
    text="#1b232c",
    muted="#566472",
    accent="#0072b2",
    good="#007a5a",
    warn="#9a6700",
    bad="#c0391b",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a17c00", "#56b4e9", "#5b57c7", "#4b5560"),
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def veil(theme: Theme, colour: str, part: float) -> QColor:
    """The colour thinned by the panel behind it, opaque: Qt fills areas of a solid colour several times faster."""
    over, under = QColor(colour), QColor(theme.panel)
    mixed = (part * a + (1 - part) * b for a, b in zip(over.getRgb()[:3], under.getRgb()[:3], strict=True))  # type: ignore[index]
    return QColor(*(round(value) for value in mixed))


def paint_application(theme: Theme) -> None:
    """Gives the whole application the theme's colours, and the larger texts their size beside the application's font."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    pt = app.font().pointSize()
    sizes = {"figure_pt": round(1.4 * pt), "caption_pt": round(1.1 * pt), "box_px": round(1.3 * pt)}
    style = _STYLE.format(**sizes, **{name: getattr(theme, name) for name in Theme.__slots__})
    if app.styleSheet() != style:  # setting it again would restyle every widget there is
        app.setStyle("Fusion")
        app.setPalette(_palette(theme))
        app.setStyleSheet(style)
    pg.setConfigOptions(background=theme.panel, foreground=theme.muted, antialias=False)


def _palette(theme: Theme) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, colour in (
        (roles.Window, theme.window),
        (roles.WindowText, theme.text),
        (roles.Base, theme.panel),
        (roles.AlternateBase, theme.window),
        (roles.Text, theme.text),
        (roles.Button, theme.raised),
        (roles.ButtonText, theme.text),
        (roles.ToolTipBase, theme.raised),
        (roles.ToolTipText, theme.text),
        (roles.PlaceholderText, theme.muted),
        (roles.Highlight, theme.accent),
        (roles.HighlightedText, theme.window),
        (roles.Mid, theme.line),
        (roles.Dark, theme.line),
        (roles.Light, theme.raised),
        (roles.Link, theme.accent),
    ):
        palette.setColor(role, QColor(colour))
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    return palette


_STYLE = """
QMainWindow::separator {{ background: {line}; width: 3px; height: 3px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QDockWidget {{ color: {text}; font-weight: 600; }}
QDockWidget::title {{ background: {raised}; padding: 4px 8px; }}
QToolBar {{ background: {panel}; border: 0; border-bottom: 1px solid {line}; spacing: 5px; padding: 4px; }}
QStatusBar {{ background: {panel}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: 0; }}
QTabWidget::pane {{ border: 0; border-top: 1px solid {line}; }}
QTabBar::tab {{ background: {window}; color: {muted}; padding: 5px 6px; border: 0; border-bottom: 2px solid {window}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QHeaderView::section {{ background: {raised}; color: {muted}; border: 0; padding: 3px 6px; }}
QTreeView, QTableView, QPlainTextEdit, QScrollArea {{ background: {panel}; border: 0; }}
QTreeView::item, QTableView::item {{ padding: 1px 2px; }}
QLineEdit, QComboBox, QSpinBox {{ background: {window}; border: 1px solid {line}; border-radius: 3px; padding: 3px 5px; }}
QComboBox::drop-down {{ border: 0; width: 18px; }}
QComboBox::down-arrow {{ image: none; width: 0; height: 0; border-left: 4px solid {window}; border-right: 4px solid {window}; border-top: 5px solid {muted}; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus {{ border: 1px solid {accent}; }}
QTreeView::item:selected, QTableView::item:selected {{ background: {line}; color: {text}; }}
QCheckBox::indicator, QTreeView::indicator {{ width: {box_px}px; height: {box_px}px; border: 1px solid {muted}; border-radius: 3px; background: {window}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked {{ background: {accent}; border: 1px solid {accent}; }}
QLineEdit[wrong="true"] {{ border: 1px solid {bad}; }}
QPushButton, QToolButton {{ background: {raised}; border: 1px solid {line}; border-radius: 3px; padding: 4px 11px; }}
QToolButton#menu {{ padding: 4px 9px; }}
QToolButton#menu::menu-indicator {{ image: none; width: 0; }}
QPushButton:hover, QToolButton:hover {{ border: 1px solid {accent}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:checked {{ background: {line}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {muted}; background: {panel}; }}
QPushButton#run, QToolButton#run {{ background: {accent}; color: {panel}; border: 1px solid {accent}; font-weight: 700; }}
QPushButton#run:disabled, QToolButton#run:disabled {{ background: {raised}; color: {muted}; border: 1px solid {line}; }}
QToolButton#all_off {{ background: {bad}; color: #ffffff; border: 1px solid {bad}; font-weight: 700; padding: 4px 16px; }}
QToolButton#all_off:hover {{ border: 1px solid {text}; }}
QProgressBar {{ background: {window}; border: 1px solid {line}; border-radius: 3px; text-align: center; color: {text}; }}
QProgressBar::chunk {{ background: {line}; }}
QFrame#banner[kind="news"] {{ background: {raised}; border-left: 4px solid {good}; }}
QFrame#banner[kind="warning"] {{ background: {raised}; border-left: 4px solid {bad}; }}
QFrame#guide {{ background: {raised}; border-left: 4px solid {accent}; }}
QLabel[role="badge"] {{ background: #e69f00; color: #101418; font-weight: 700; border-radius: 3px; padding: 3px 9px; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="wrong"] {{ color: {bad}; }}
QLabel[role="group"] {{ color: {accent}; font-weight: 600; padding-top: 6px; }}
QLabel[role="figure"] {{ font-size: {figure_pt}pt; font-weight: 600; }}
QLabel[role="caption"] {{ color: {muted}; font-size: {caption_pt}pt; }}
"""
