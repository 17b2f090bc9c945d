"""Thins the stream of documents to what eyes can follow, so that a fast twin cannot flood the clients.

Tag counts are added up, of results and progress the latest stands; everything else passes at once and in order.
Nothing is lost: every document was written to the run file before it comes here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..documents import Document, as_message

Message = dict[str, Any]

#: Kinds of message that flow, and how long at least between two of one source.
PERIOD_S = {"Tags": 0.05, "Progress": 0.1, "Result": 0.25}


def add_tags(earlier: Message, later: Message) -> Message:
    """One ``Tags`` message for two consecutive ones of the same source; rates are weighted by time."""
    span = earlier["t_stop_ps"] - earlier["t_start_ps"], later["t_stop_ps"] - later["t_start_ps"]
    total = sum(span) or 1
    names = {**earlier["rates_hz"], **later["rates_hz"]}
    rates = {
        name: (earlier["rates_hz"].get(name, 0.0) * span[0] + later["rates_hz"].get(name, 0.0) * span[1]) / total
        for name in names
    }
    unknown = -1 in (earlier["missed"], later["missed"])
    return later | {
        "t_start_ps": earlier["t_start_ps"],
        "n": earlier["n"] + later["n"],
        "overflow": earlier["overflow"] or later["overflow"],
        "missed": -1 if unknown else earlier["missed"] + later["missed"],
        "rates_hz": rates,
    }


class Condenser:
    """Subscriber of a run that hands messages on to ``sink``, each kind of flow at most once in its period."""

    def __init__(self, sink: Callable[[Message], object], now_s: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._now_s = now_s
        self._held: dict[str, Message] = {}
        self._sent_s: dict[str, float] = {}

    def __call__(self, document: Document) -> None:
        message = as_message(document)
        kind = message["type"]
        if kind not in PERIOD_S:
            self.flush()
            self._sink(message)
            return
        key = f"{kind} {message.get('source', '')}"
        held = self._held.get(key)
        self._held[key] = add_tags(held, message) if held and kind == "Tags" else message
        if self._now_s() - self._sent_s.get(key, -1e9) >= PERIOD_S[kind]:
            self._send(key)

    def flush(self) -> None:
        """Hands on all that is held back."""
        for key in list(self._held):
            self._send(key)

    def _send(self, key: str) -> None:
        self._sink(self._held.pop(key))
        self._sent_s[key] = self._now_s()
