"""Stretches of time: gates, herald windows, and the slots clicks are counted in."""

from __future__ import annotations

from collections.abc import Iterable

from .program import Program

Intervals = tuple[tuple[int, int], ...]
_MAX_SLOTS = 5


def slots(program: Program) -> list[Intervals]:
    """Gated time of an attempt: the herald rule's windows, then what is left of each gate."""
    gates = union((p.start_ps, p.stop_ps) for p in program.attempt.on("gate"))
    windows = program.rule.windows_ps if program.rule else ()
    found = [intersect(gates, (window,)) for window in windows]
    rest = subtract(gates, union(windows))
    free = _MAX_SLOTS - len(found)
    single, merged = rest[: free - 1], rest[free - 1 :]
    return found + [(i,) for i in single] + ([merged] if merged else [])


def length_ps(intervals: Intervals) -> int:
    """Total length."""
    return sum(stop - start for start, stop in intervals)


def union(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """Sorted and disjoint."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(intervals):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], stop))
        elif stop > start:
            out.append((start, stop))
    return tuple(out)


def intersect(a: Intervals, b: Intervals) -> Intervals:
    """What lies in both."""
    both = ((max(x[0], y[0]), min(x[1], y[1])) for x in a for y in b)
    return tuple(i for i in both if i[1] > i[0])


def subtract(a: Intervals, b: Intervals) -> Intervals:
    """What lies in ``a`` but not in ``b`` (both sorted and disjoint, times from 0 on)."""
    edges = [0, *(edge for i in b for edge in i), max((i[1] for i in a), default=0)]
    gaps = ((edges[k], edges[k + 1]) for k in range(0, len(edges) - 1, 2))
    return intersect(a, tuple(g for g in gaps if g[1] > g[0]))
