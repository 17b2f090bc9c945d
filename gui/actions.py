"""Everything the window can be told to do: one table, from which tool bar, menu and keys are made."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from .widgets import named


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do: its name in the code, what the user reads, and the keys."""

    name: str
    text: str
    keys: str
    tip: str
    checkable: bool = False


RUN = (
    Command("run", "Run", "Ctrl+R", "Run the experiment as set"),
    Command("pause", "Pause", "Ctrl+P", "Hold the run at its next checkpoint", checkable=True),
    Command("stop", "Stop", "Ctrl+.", "Stop when the current setting is done"),
    Command("stop_now", "Stop now", "Ctrl+Shift+.", "Stop after the current block"),
)
SAFETY = Command("all_off", "ALL OFF", "Ctrl+0", "Emergency stop: every output to its safe value")
MENU = (
    ("View", (
        Command("theme", "Dark or light", "Ctrl+T", "Change between the dark and the light theme"),
        Command("larger", "Larger text", "Ctrl+=", "Make every text larger"),
        Command("smaller", "Smaller text", "Ctrl+-", "Make every text smaller"),
        Command("reset_layout", "Reset the layout", "Ctrl+Shift+L", "Put every panel back where it belongs"),
        Command("guide", "Guide through a first run", "Ctrl+H", "What to do, step by step"),
        Command("next_tab", "Next tab", "Ctrl+PgDown", "Show the tab to the right"),
        Command("previous_tab", "Previous tab", "Ctrl+PgUp", "Show the tab to the left"),
        Command("live", "Back to the live run", "Ctrl+L", "Show what the engine does now"),
    )),
    ("Data", (
        Command("freeze", "Freeze for comparison", "Ctrl+F", "Keep the curves as they are, behind the live ones", checkable=True),
        Command("copy_picture", "Copy the plot as a picture", "Ctrl+Shift+C", "The plot under the mouse, to the clipboard"),
        Command("copy_table", "Copy the plot as a table", "Ctrl+Shift+T", "Its numbers as CSV, to the clipboard"),
        Command("copy_plot_script", "Copy the plot as a script", "Ctrl+Shift+D", "Python that draws it again, to the clipboard"),
    )),
    ("Experiment", (
        Command("copy_command", "Copy the run as a command", "Ctrl+Shift+R", "The command line of what is set up"),
        Command("copy_script", "Copy the run as a script", "Ctrl+Shift+P", "The Python of what is set up"),
        Command("copy_yaml", "Copy the run as YAML", "Ctrl+Shift+Y", "The preset of what is set up"),
        Command("queue_run", "Queue the run", "Ctrl+Shift+Q", "Play what is set up after what is queued"),
        Command("undo", "Undo the last setting", "Ctrl+Z", "Give the instrument parameter set last its value of before"),
        Command("restart_engine", "Start the engine again", "Ctrl+Shift+E", "After the engine was lost"),
    )),
)  # fmt: skip


def make_action(parent: QWidget, command: Command) -> QAction:
    """The command as a Qt action with its keys."""
    action = QAction(command.text, parent)
    action.setObjectName(command.name)
    action.setShortcut(QKeySequence(command.keys))
    action.setToolTip(f"{command.tip} ({command.keys})")
    action.setCheckable(command.checkable)
    return action


def add_to_bar(bar: QToolBar, command: Command) -> QAction:
    """The command as a button of the tool bar."""
    action = make_action(bar, command)
    bar.addAction(action)
    named(bar.widgetForAction(action), command.name, action.toolTip())
    return action


def add_menu(window: QWidget, bar: QToolBar) -> tuple[QToolButton, dict[str, QAction]]:
    """One button whose menu holds all that is not a button; the keys work without opening it."""
    button = named(QToolButton(), "menu", "Everything else")
    button.setText("☰")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu, actions = QMenu(button), {}
    for title, commands in MENU:
        menu.addSection(title)
        for command in commands:
            action = actions[command.name] = make_action(window, command)
            menu.addAction(action)
            window.addAction(action)
    button.setMenu(menu)
    bar.addWidget(button)
    return button, actions
