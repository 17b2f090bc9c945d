"""Sequence → timing diagram, as values. Pure, and quick at any zoom from seconds to picoseconds.

``diagram`` shows the whole of every part; ``panel`` one part between two times, with as much detail as fits into
``pixels`` columns: loops and trains denser than that come as one ``Busy`` stretch with their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..analysis.errors import UsageError
from ..analysis.records import FloatArray
from ..analysis.timing import Busy, Lane, Span, TimingPanel
from .experiments.base import Plan
from .pulses import Pulse, Square
from .sequence import Block, Sequence

View = tuple[int, int]
TITLES = {"header": "header", "attempt": "attempt", "then": "on herald"}
_SHAPE_POINTS = 129


@dataclass(frozen=True, slots=True)
class _Dense:
    """A stretch of a loop on one channel."""

    channel: str
    busy: Busy


def diagram(sequence: Sequence, pixels: int = 2000) -> tuple[TimingPanel, ...]:
    """One panel for each part of the sequence that plays anything: header, attempt, and what a herald plays."""
    return tuple(panel(sequence, part, pixels=pixels) for part, block in parts(sequence).items() if block.pulse_count())


def played_sequence(plan: Plan, setting: str | None = None) -> Sequence:
    """The sequence of a setting of a plan, of the last one that plays any when none is named.

    Raises:
        UsageError: no such setting, or it plays no pulses.
    """
    playing = {s.name: s.sequence for s in plan.settings if s.sequence is not None}
    if not playing:
        raise UsageError("this experiment plays no pulses")
    name = next(reversed(playing)) if setting is None else setting
    if name not in playing:
        raise UsageError(f"no setting {name!r} that plays pulses; there are {', '.join(playing)}")
    return playing[name]


def parts(sequence: Sequence) -> dict[str, Block]:
    """The parts by name; an attempt is the body with what a branch plays otherwise."""
    found = {"header": sequence.header, "attempt": sequence.attempt}
    return found if sequence.branch is None else found | {"then": sequence.branch.then}


def panel(sequence: Sequence, part: str, view_ps: View | None = None, pixels: int = 2000) -> TimingPanel:
    """One part between the times ``view_ps`` (ps from its start; all of it when None).

    Raises:
        UsageError: the sequence has no such part, or the view is empty.
    """
    known = parts(sequence)
    if part not in known:
        raise UsageError(f"sequence {sequence.name} has no part {part!r}; it has {', '.join(known)}")
    block = known[part]
    view = (0, max(1, block.length_ps)) if view_ps is None else view_ps
    if view[0] >= view[1]:
        raise UsageError(f"a view from {view[0]} to {view[1]} ps is empty")
    times = f" ×{sequence.repetitions}" if part == "attempt" and sequence.repetitions > 1 else ""
    spans = tuple(_spans(sequence, view)) if part == "attempt" else ()
    return TimingPanel(TITLES[part] + times, view, lanes(block, view, pixels), spans)


def lanes(block: Block, view_ps: View, pixels: int = 2000) -> tuple[Lane, ...]:
    """Lanes of every channel of a block, those with nothing to see in the view included."""
    pixel_ps = (view_ps[1] - view_ps[0]) / pixels
    pulses: dict[str, list[Pulse]] = {channel: [] for channel in _channels(block)}
    dense: dict[str, list[Busy]] = defaultdict(list)
    for seen in _visible(block, 0, view_ps, pixel_ps):
        if isinstance(seen, Pulse):
            pulses[seen.channel].append(seen)
        else:
            dense[seen.channel].append(seen.busy)
    return tuple(_lane(channel, found, dense[channel], view_ps, pixels) for channel, found in pulses.items())


def _spans(sequence: Sequence, view_ps: View) -> Iterator[Span]:
    """Herald windows and the time until the decision."""
    if sequence.branch is None:
        return
    on = sequence.branch.on
    names = ("early window", "late window") if len(on.windows_ps) == 2 else ("window",)
    spans = [Span(name, *window) for name, window in zip(names, on.windows_ps, strict=True)]
    spans.append(Span("decision", on.windows_ps[-1][1], on.decision_ps))
    yield from (s for s in spans if s.stop_ps > view_ps[0] and s.start_ps < view_ps[1])


def _channels(block: Block) -> list[str]:
    """In the order of their first pulses."""
    return sorted(first := _first_ps(block), key=lambda channel: first[channel])


def _first_ps(block: Block) -> dict[str, int]:
    first: dict[str, int] = {}
    starts = [(p.channel, p.start_ps) for p in block.pulses]
    starts += [(c, loop.start_ps + t) for loop in block.loops for c, t in _first_ps(loop.block).items()]
    for channel, t_ps in starts:
        first[channel] = min(first.get(channel, t_ps), t_ps)
    return first


def _visible(block: Block, from_ps: int, view_ps: View, pixel_ps: float) -> Iterator[Pulse | _Dense]:
    """Pulses in the view; loops whose turns are narrower than a pixel as a whole. Only turns in the view are walked."""
    for pulse in block.pulses:
        start_ps, stop_ps = pulse.start_ps + from_ps, pulse.stop_ps + from_ps
        if stop_ps > view_ps[0] and start_ps < view_ps[1]:
            yield replace(pulse, start_ps=start_ps)
    for loop in block.loops:
        begins_ps, turn_ps = from_ps + loop.start_ps, loop.block.length_ps
        first = max(0, (view_ps[0] - begins_ps) // turn_ps)
        stop = min(loop.count, -(-(view_ps[1] - begins_ps) // turn_ps))
        if stop - first > 1 and turn_ps < pixel_ps:
            yield from _as_dense(loop.block, begins_ps + first * turn_ps, stop - first)
        else:
            for k in range(first, stop):
                yield from _visible(loop.block, begins_ps + k * turn_ps, view_ps, pixel_ps)


def _as_dense(turn: Block, start_ps: int, turns: int) -> Iterator[_Dense]:
    by_channel: dict[str, list[float]] = defaultdict(list)
    for pulse in turn.pulses:
        by_channel[pulse.channel].append(pulse.amplitude)
    for channel, levels in by_channel.items():
        stop_ps = start_ps + turns * turn.length_ps
        yield _Dense(channel, Busy(start_ps, stop_ps, max(levels), turns * len(levels)))
    for loop in turn.loops:  # whatever is deeper is denser still
        for inner in _as_dense(loop.block, 0, loop.count):
            stretch = Busy(start_ps, start_ps + turns * turn.length_ps, inner.busy.level, turns * inner.busy.count)
            yield _Dense(inner.channel, stretch)


def _lane(channel: str, pulses: list[Pulse], dense: list[Busy], view_ps: View, pixels: int) -> Lane:
    ordered = sorted(pulses, key=lambda p: p.start_ps)
    if len(ordered) > pixels:
        ordered, more = _thinned(ordered, (view_ps[1] - view_ps[0]) / pixels)
        dense = [*dense, *more]
    t_ps: list[int] = [view_ps[0]]
    level: list[float] = [0.0]
    for pulse in ordered:
        inside_ps, inside = _corners(pulse, view_ps)
        t_ps += [int(inside_ps[0]), *inside_ps.tolist(), int(inside_ps[-1])]
        level += [0.0, *inside.tolist(), 0.0]
    t_ps.append(view_ps[1])
    level.append(0.0)
    labels = tuple((max(p.start_ps, view_ps[0]), text) for p in ordered if (text := _label(p)))
    return Lane(channel, np.array(t_ps, np.int64), np.array(level), labels, tuple(dense))


def _thinned(ordered: list[Pulse], pixel_ps: float) -> tuple[list[Pulse], list[Busy]]:
    """Runs of pulses less than a pixel apart become one stretch."""
    runs: list[list[Pulse]] = [[]]
    for pulse in ordered:
        if runs[-1] and pulse.start_ps - runs[-1][-1].stop_ps > pixel_ps:
            runs.append([])
        runs[-1].append(pulse)
    alone = [run[0] for run in runs if len(run) == 1]
    together = [
        Busy(r[0].start_ps, max(p.stop_ps for p in r), max(p.amplitude for p in r), len(r)) for r in runs if len(r) > 1
    ]
    return alone, together


def _corners(pulse: Pulse, view_ps: View) -> tuple[FloatArray, FloatArray]:
    """Times (ps, whole) and levels of a pulse's top between its edges, as far as it is in the view."""
    start_ps, stop_ps = max(pulse.start_ps, view_ps[0]), min(pulse.stop_ps, view_ps[1])
    n = 2 if isinstance(pulse.shape, Square) else _SHAPE_POINTS
    t_ps = np.round(np.linspace(start_ps, stop_ps, n))
    shape = np.abs(pulse.shape.envelope(t_ps - pulse.start_ps, pulse.duration_ps))
    return t_ps.astype(np.int64), pulse.amplitude * shape


def _label(pulse: Pulse) -> str:
    phase = f"φ={pulse.phase_rad:.3g}" if pulse.phase_rad else ""
    return " ".join(filter(None, (phase, "" if isinstance(pulse.shape, Square) else pulse.shape.kind)))
