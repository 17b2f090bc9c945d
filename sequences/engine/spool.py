"""The documents of an engine's life, on disk, so that a late or slow client can catch up at no cost in memory."""

from __future__ import annotations

import json
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .values import DocumentMessage

_WAKE_S = 0.25


class Spool:
    """Append-only list of JSON documents in one file; any number of readers, each at its own pace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._starts = array("q")
        self._end = 0
        self._latest_run = 0
        self._grown = threading.Condition()

    def __len__(self) -> int:
        return len(self._starts)

    def append(self, content: dict[str, Any]) -> int:
        """Writes one document, wakes the readers and returns its index."""
        line = json.dumps({"utc_s": time.time(), "content": content}).encode() + b"\n"
        with self._grown:
            self._file.write(line)
            index = len(self._starts)
            self._starts.append(self._end)
            self._end += len(line)
            if content.get("type") == "RunStart":
                self._latest_run = index
            self._grown.notify_all()
        return index

    def follow(self, since: int, wanted: Callable[[], bool]) -> Iterator[DocumentMessage]:
        """Documents from index ``since`` on (-1: the latest run), then new ones as they come, while ``wanted()``."""
        index = self._latest_run if since < 0 else since
        with self._path.open("rb") as file:
            while wanted():
                with self._grown:
                    if index >= len(self._starts):
                        self._grown.wait(_WAKE_S)
                    ready = len(self._starts)
                if index >= ready:
                    continue
                file.seek(self._starts[index])
                for number in range(index, ready):
                    line = json.loads(file.readline())
                    yield DocumentMessage(number, line["utc_s"], line["content"])
                index = ready

    def close(self) -> None:
        """Ends the spool and removes its file."""
        self._file.close()
        self._path.unlink(missing_ok=True)
