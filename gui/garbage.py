"""Collects garbage in the window's thread only.

A cycle that holds a Qt object must not be freed by a thread that talks to the engine: the object's destructor takes a lock
of Qt and then waits for Python's, while the window's thread waits the other way round, for ever.
"""

from __future__ import annotations

import gc


def stop_collecting_anywhere() -> None:
    """From now on nothing is collected but by ``collect_if_due``. Call before the first thread starts."""
    gc.disable()


def collect_if_due() -> None:
    """What the collector would have done by itself by now; cheap when nothing is due. Call from the window's thread."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    due = [k for k, (count, threshold) in enumerate(zip(counts, thresholds, strict=True)) if count > threshold > 0]
    if due:
        gc.collect(max(due))


def spare_what_is_loaded() -> None:
    """Modules and the window itself stay for good: later collections need not look through them again."""
    gc.collect()
    gc.freeze()
