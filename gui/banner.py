"""What must not be missed: a line across the window that says it, until it is read."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QSystemTrayIcon

from .widgets import label, named, restyle

_GOOD_NEWS_MS = 8000


class Banner(QFrame):
    """Good news leaves by itself; a warning stays until it is dismissed. Both reach a user who is elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        named(self, "banner")
        self.text = label("", wrap=True)
        self.dismiss = named(QPushButton("OK"), "dismiss", "Read and understood")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 3, 6, 3)
        layout.addWidget(self.text, stretch=1)
        layout.addWidget(self.dismiss)
        self._leaving = QTimer(self, singleShot=True, interval=_GOOD_NEWS_MS)
        self._leaving.timeout.connect(self.hide)
        self._tray: QSystemTrayIcon | None = None
        self.dismiss.clicked.connect(self.hide)
        self.hide()

    def tell(self, words: str) -> None:
        """Says that something has ended well; never hides a warning."""
        if self.isVisible() and self.property("kind") == "warning":
            return
        self._show(words, "news")
        self._leaving.start()

    def warn(self, words: str) -> None:
        """Says that something wants attention."""
        self._leaving.stop()
        self._show(words, "warning")

    def _show(self, words: str, kind: str) -> None:
        self.text.setText(words)
        self.setProperty("kind", kind)
        restyle(self)
        self.show()
        QApplication.alert(self.window())
        if not self.window().isActiveWindow() and QSystemTrayIcon.isSystemTrayAvailable():
            self._notify(words)

    def _notify(self, words: str) -> None:
        """Through the desktop, where there is one to do it."""
        if self._tray is None:
            self._tray = QSystemTrayIcon(self.window().windowIcon(), self)
        self._tray.show()
        self._tray.showMessage("erbia", words)
