"""A timing diagram as plain values: lanes of corners over time. Drawn by ``report_timing``, by a window, by anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from .records import FloatArray, Int64Array


@dataclass(frozen=True, slots=True)
class Busy:
    """So many pulses that they are told, not drawn: ``count`` of them between ``start_ps`` and ``stop_ps``."""

    start_ps: int
    stop_ps: int
    level: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Lane:
    """One output.

    Attributes:
        channel: its name.
        t_ps, level: int64 and float64 (N,), corners of a line from 0 to 1 of full scale, in order of time; edges are two
            corners at one time.
        labels: what a pulse is beside its level (phase, shape), with the time it begins.
        busy: stretches in which pulses are too dense to be drawn one by one.
    """

    channel: str
    t_ps: Int64Array
    level: FloatArray
    labels: tuple[tuple[int, str], ...] = ()
    busy: tuple[Busy, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A named stretch of time behind all lanes, e.g. a herald window."""

    label: str
    start_ps: int
    stop_ps: int


@dataclass(frozen=True, slots=True, eq=False)
class TimingPanel:
    """One part of a sequence between the times of ``view_ps``; lanes in the order in which their first pulses come."""

    title: str
    view_ps: tuple[int, int]
    lanes: tuple[Lane, ...]
    spans: tuple[Span, ...] = field(default=())
