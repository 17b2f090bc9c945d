"""Heralds and read-outs of one setting matched by count: the k-th herald belongs to the k-th herald marker at each node."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

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
