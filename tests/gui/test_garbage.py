"""Garbage with Qt objects in it is collected by the window's thread and by no other."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject

from erbia.gui.garbage import collect_if_due, stop_collecting_anywhere


class Node(QObject):
    """Holds itself, so that only the collector can free it."""

    def __init__(self, freed_in: list[int]) -> None:
        super().__init__()
        self.itself = self
        weakref.finalize(self, lambda: freed_in.append(threading.get_ident()))


def fill(count: int) -> list[list[int]]:
    return [[k] for k in range(count)]


def test_no_other_thread_collects() -> None:
    stop_collecting_anywhere()
    freed_in: list[int] = []
    Node(freed_in)
    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(fill, 200_000).result()
    assert freed_in == []
    collect_if_due()
    assert len(kept) == 200_000
    assert freed_in == [threading.get_ident()]
