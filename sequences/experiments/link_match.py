"""Heralds and read-outs of one setting matched by count: the k-th herald belongs to the k-th herald marker at each node."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from ...analysis.records import Int64Array

OUTCOMES = ("++", "+-", "-+", "--")


class Matching:
    """Counts what is matched and keeps only what still waits for its partners, so that memory does not grow.

    Attributes:
        joint: counts by herald outcome (+1 psi+, -1 psi-) and joint read-out result.
        selected: heralds that count, read out or not.
        used: heralds whose two read-outs are both in and good.
    """

    def __init__(self, nodes: Sequence[str]) -> None:
        self.joint = {outcome: dict.fromkeys(OUTCOMES, 0) for outcome in (1, -1)}
        self.selected = self.used = 0
        self._heralds: deque[int] = deque()
        self._readouts: dict[str, deque[bool | None]] = {name: deque() for name in nodes}

    def add_heralds(self, outcomes: Iterable[int]) -> None:
        """Outcomes in order: +1, -1, or 0 for one that is not used (clicks were lost, or not selected)."""
        before = len(self._heralds)
        self._heralds.extend(outcomes)
        self.selected += sum(self._heralds[k] != 0 for k in range(before, len(self._heralds)))
        self._match()

    def add_readouts(self, node: str, results: Iterable[bool | None]) -> None:
        """Read-outs of a node in order: True bright ('+'), False dark ('-'), None where clicks were lost."""
        self._readouts[node].extend(results)
        self._match()

    def level(self) -> None:
        """Forgets what still waits: its partners will not come. What comes next belongs together again."""
        self._heralds.clear()
        for waiting in self._readouts.values():
            waiting.clear()

    def _match(self) -> None:
        a, b = self._readouts.values()
        while self._heralds and a and b:
            outcome, bright_a, bright_b = self._heralds.popleft(), a.popleft(), b.popleft()
            if outcome != 0 and bright_a is not None and bright_b is not None:
                self.joint[outcome][("+" if bright_a else "-") + ("+" if bright_b else "-")] += 1
                self.used += 1


class MarkedHeralds:
    """Heralds found in the clicks, one for each marker that the herald electronics sent.

    Electronics and tagger see a click each with a jitter of its own, so one at the very edge of a window may herald for the
    one and not for the other. The nodes were read out when the electronics said so: the marker decides.

    Args:
        reach_ps: longest time from the late click to the marker, at most the period of the attempts.
    """

    def __init__(self, reach_ps: int) -> None:
        self._reach_ps = reach_ps
        self._clicks_ps = self._outcomes = self._markers_ps = np.empty(0, np.int64)

    def add(self, clicks_ps: Int64Array, outcomes: Int64Array, markers_ps: Int64Array, known_ps: int) -> list[int]:
        """Outcomes of the markers whose clicks are all in by ``known_ps``, 0 where the clicks are no herald.

        Args:
            clicks_ps, outcomes: late clicks of heralds and their outcomes, int64 (H,), in order, new since the last call.
            markers_ps: int64 (M,), in order, new since the last call.
        """
        self._clicks_ps = np.concatenate([self._clicks_ps, clicks_ps])
        self._outcomes = np.concatenate([self._outcomes, outcomes])
        self._markers_ps = np.concatenate([self._markers_ps, markers_ps])
        ready = int(np.searchsorted(self._markers_ps, known_ps - self._reach_ps, side="right"))
        due_ps, self._markers_ps = self._markers_ps[:ready], self._markers_ps[ready:]
        last = np.searchsorted(self._clicks_ps, due_ps, side="right") - 1
        told = [self._outcome(k, m) for k, m in zip(last.tolist(), due_ps.tolist(), strict=True)]
        over = int(np.searchsorted(self._clicks_ps, known_ps - 2 * self._reach_ps))
        self._clicks_ps, self._outcomes = self._clicks_ps[over:], self._outcomes[over:]
        return told

    def _outcome(self, last: int, marker_ps: int) -> int:
        near = last >= 0 and marker_ps - self._clicks_ps[last] < self._reach_ps
        return int(self._outcomes[last]) if near else 0
