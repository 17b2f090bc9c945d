"""When each entry of the queue will be done, judged by how long such runs took; and what differs from the one before. No Qt."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from ..analysis.quantity import format_quantity
from ..sequences.engine.queue_values import PLAYING, WAITING, QueueEntry
from .schema import Field, flatten


def durations_s(entries: Sequence[QueueEntry]) -> dict[str, float]:
    """How long a run of each experiment took: the median of those that ended well."""
    took: dict[str, list[float]] = {}
    for entry in entries:
        if entry.state == "done" and entry.started_utc_s is not None and entry.ended_utc_s is not None:
            span_s = (entry.ended_utc_s - entry.started_utc_s) / max(1, entry.played)
            took.setdefault(entry.order.experiment, []).append(span_s)
    return {name: statistics.median(spans) for name, spans in took.items()}


def etas_s(entries: Sequence[QueueEntry], took_s: dict[str, float], remaining_s: float | None) -> dict[int, float]:
    """Seconds until each entry that is played or waits is done (nan: cannot be told), by its number."""
    at_s, found = 0.0, {}
    for entry in entries:
        if entry.state == PLAYING:
            left = entry.order.repeats - entry.played - 1
            at_s += math.nan if remaining_s is None else remaining_s
        elif entry.state == WAITING:
            left = entry.order.repeats - entry.played
        else:
            continue
        at_s += max(0, left) * took_s.get(entry.order.experiment, math.nan) if left > 0 else 0.0
        found[entry.id] = at_s
    return found


def value_text(value: Any, unit: str = "") -> str:
    """A setting as people read it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format_quantity(value, unit, 6)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(item, unit) for item in value) + "]"
    return (
        {True: "yes", False: "no", None: "not set"}.get(value, str(value))
        if not isinstance(value, dict)
        else str(value)
    )


def differences(before: dict[str, Any], after: dict[str, Any], fields: Sequence[Field] = ()) -> list[str]:
    """``key: old → new`` for every setting of two configs that differs, dotted keys."""
    old, new = (settings_text(config, fields) for config in (before, after))
    return [
        f"{key}: {old.get(key, '–')} → {new.get(key, '–')}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def settings_text(config: dict[str, Any], fields: Sequence[Field] = ()) -> dict[str, str]:
    """Every setting of a config as it is typed, by its dotted key; without its field, as well as can be told."""
    known = {field.path: field for field in fields}
    return {
        key: known[key].to_text(value) or "not set" if key in known else value_text(value)
        for key, value in flatten(config, known).items()
    }
