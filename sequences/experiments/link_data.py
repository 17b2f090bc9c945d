"""From tags to joint outcomes: heralds at the midpoint, read-outs at the nodes, matched setting by setting.

The k-th herald marker at the midpoint belongs to the k-th at each node of that setting: the herald electronics send exactly one
marker a herald to each, so matching needs no common clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.gating import GateStream
from ...analysis.heralds import HeraldRule, HeraldStream
from ...analysis.records import PS_PER_S, CorrelationHistogram, TagBlock
from ...instruments.interfaces import Node
from .base import to_ps
from .link import HEADER_PS, NODES, LinkTiming, Selection, Window, calibration_window_ps, photon_delay_ps
from .link_match import OUTCOMES, MarkedHeralds, Matching

MIDPOINT = "midpoint"
_ARRIVAL_BINS = 400
#: Turning psi- into psi+ (a z rotation at Bob, done here in the analysis) flips Bob's result along x and y.
_FLIPPED = {"X": {"++": "+-", "+-": "++", "-+": "--", "--": "-+"}}
_FLIPPED["Y"] = _FLIPPED["X"]


def as_psi_plus(joint: Mapping[int, Mapping[str, int]], basis: str) -> dict[str, int]:
    """Counts of both herald outcomes together, those of psi- as psi+ would have given them."""
    flip = _FLIPPED.get(basis[1], {})
    return {result: joint[1][result] + joint[-1][flip.get(result, result)] for result in OUTCOMES}


def herald_rule(timing: LinkTiming, selection: Selection, nodes: Mapping[str, Node]) -> HeraldRule:
    """The herald rule of a link, with the selection's windows, in the terms of the midpoint tagger."""
    midpoint = nodes[MIDPOINT]
    early, late = (_selected(window, selection) for window in timing.windows_ps(photon_delay_ps(nodes)))
    return HeraldRule(
        sync_channel=midpoint.channel("sync"),
        detector_a=midpoint.channel("detector_a"),
        detector_b=midpoint.channel("detector_b"),
        header_ps=HEADER_PS,
        period_ps=to_ps(timing.attempt_period_s),
        attempts_per_burst=timing.attempts_per_burst,
        early_ps=early,
        late_ps=late,
    )


def _selected(window_ps: Window, selection: Selection) -> Window:
    start_ps, stop_ps = window_ps
    start_ps += to_ps(selection.delay_s)
    return start_ps, stop_ps if selection.window_s is None else start_ps + to_ps(selection.window_s)


@dataclass
class LinkState:
    """Everything a link experiment has learnt so far, by setting.

    Attributes:
        rows: herald tables not handed over yet.
        matching: heralds and read-outs of each entangling setting.
        marked: heralds by the markers of the electronics, of each entangling setting.
        marker: channel of those markers at the midpoint.
        calibrations: read-out results of each node in each calibration setting.
        closed: settings whose pulses are being stopped: time counts up to the last sync marker.
        arrival: clicks at the midpoint against time in the attempt.
    """

    herald_stream: HeraldStream
    selecting_stream: HeraldStream
    gates: dict[str, GateStream]
    calibration_gates: dict[str, GateStream]
    storage_ps: int
    marker: int
    rows: list[NDArray[Any]] = field(default_factory=list)
    matching: dict[int, Matching] = field(default_factory=lambda: defaultdict(lambda: Matching(NODES)))
    marked: dict[int, MarkedHeralds] = field(default_factory=dict)
    calibrations: dict[tuple[str, int], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: {"+": 0, "-": 0})
    )
    closed: set[int] = field(default_factory=set)
    live_ps: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    attempts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    arrival: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_ARRIVAL_BINS, np.int64))
    last_sync_ps: int | None = None
    covered_ps: dict[str, int] = field(default_factory=dict)

    def calibrated(self, setting: int) -> int:
        """Read-outs in a calibration setting, of the node that has fewest."""
        return min(sum(self.calibrations[name, setting].values()) for name in NODES)


def begin(timing: LinkTiming, selection: Selection, nodes: Mapping[str, Node]) -> LinkState:
    """The state before any data."""
    light_ps = timing.readout_ps(photon_delay_ps(nodes))
    photon = {name: nodes[name].channel("photon") for name in NODES}
    return LinkState(
        herald_stream=HeraldStream(herald_rule(timing, Selection(), nodes)),
        selecting_stream=HeraldStream(herald_rule(timing, selection, nodes)),
        gates={n: GateStream(nodes[n].channel("herald"), photon[n], *light_ps) for n in NODES},
        storage_ps=timing.echo_ps(photon_delay_ps(nodes)) - timing.superposition_ps,
        marker=nodes[MIDPOINT].channel("herald"),
        calibration_gates={
            n: GateStream(nodes[n].channel("sync"), photon[n], *calibration_window_ps(timing)) for n in NODES
        },
    )


def take_calibration(state: LinkState, setting: int, block: TagBlock) -> None:
    """Folds a block of a calibration setting in: one read-out a sync marker."""
    if block.source in NODES:
        counts = state.calibrations[block.source, setting]
        for bright in _readouts(block, state.calibration_gates[block.source]):
            if bright is not None:
                counts["+" if bright else "-"] += 1


def take_attempts(state: LinkState, setting: int, block: TagBlock) -> None:
    """Folds a block of an entangling setting in."""
    if block.t_start_ps > state.covered_ps.get(block.source, block.t_start_ps):
        _break_off(state, setting)
    state.covered_ps[block.source] = block.t_stop_ps
    if block.source in NODES:
        state.matching[setting].add_readouts(block.source, _readouts(block, state.gates[block.source]))
        return
    before = state.herald_stream.attempts
    rows = state.herald_stream.feed(block)
    rows["setting"] = setting
    rows["storage_ps"] = state.storage_ps
    if len(rows):
        state.rows.append(rows)
    chosen = np.isin(rows["t_ps"], state.selecting_stream.feed(block)["t_ps"])
    marked = state.marked.setdefault(setting, MarkedHeralds(state.herald_stream.rule.period_ps))
    outcomes = rows["outcome"].astype(np.int64) * rows["valid"] * chosen
    state.matching[setting].add_heralds(
        marked.add(rows["t_ps"], outcomes, block.tags.on(state.marker), block.t_stop_ps)
    )
    state.live_ps[setting] += 0 if block.overflow else _played_ps(state, setting, block)
    state.attempts[setting] += state.herald_stream.attempts - before
    _take_arrivals(state, block)


def _played_ps(state: LinkState, setting: int, block: TagBlock) -> int:
    """How much of the block pulses were played in: from the setting's first sync marker on, and once they stop to the last."""
    sync_ps = block.tags.on(state.herald_stream.rule.sync_channel)
    began, ended = state.attempts[setting] > 0, setting in state.closed
    if not len(sync_ps):
        return block.t_stop_ps - block.t_start_ps if began and not ended else 0
    start_ps = block.t_start_ps if began else int(sync_ps[0])
    return (int(sync_ps[-1]) if ended else block.t_stop_ps) - start_ps


def _break_off(state: LinkState, setting: int) -> None:
    """After a stretch that nobody recorded: what was under way is lost, and counting starts level again at all sites.

    The other sites' part of the same gap finds nothing left to do.
    """
    for heralds in (state.herald_stream, state.selecting_stream):
        heralds.finish()
    for gate in state.gates.values():
        gate.finish()
    state.matching[setting].level()
    state.marked.pop(setting, None)
    state.covered_ps.clear()


def _readouts(block: TagBlock, gate: GateStream) -> list[bool | None]:
    _, counts, valid = gate.feed(block)
    return [n > 0 if ok else None for n, ok in zip(counts.tolist(), valid.tolist(), strict=True)]


def _take_arrivals(state: LinkState, block: TagBlock) -> None:
    """Histogram of click times within the attempt, for looking at the photon's shape and the windows."""
    rule = state.herald_stream.rule
    sync_ps = block.tags.on(rule.sync_channel)
    if state.last_sync_ps is not None:
        sync_ps = np.concatenate([np.array([state.last_sync_ps], np.int64), sync_ps])
    clicks_ps = block.tags.on(rule.detector_a, rule.detector_b)
    if len(sync_ps):
        k = np.searchsorted(sync_ps, clicks_ps, side="right") - 1
        phase_ps = (clicks_ps - sync_ps[np.maximum(k, 0)] - rule.header_ps) % rule.period_ps
        state.arrival += np.bincount(phase_ps[k >= 0] * _ARRIVAL_BINS // rule.period_ps, minlength=_ARRIVAL_BINS)
        state.last_sync_ps = int(sync_ps[-1])


def arrival_histogram(state: LinkState) -> CorrelationHistogram:
    """Clicks at the midpoint against time since the start of the attempt."""
    rule = state.herald_stream.rule
    bin_ps = rule.period_ps // _ARRIVAL_BINS
    live_ps = sum(state.live_ps.values())
    attempts = sum(state.attempts.values())
    lag_ps = np.arange(_ARRIVAL_BINS, dtype=np.int64) * bin_ps
    return CorrelationHistogram(lag_ps, state.arrival.copy(), bin_ps, attempts, int(state.arrival.sum()), live_ps)


def live_s(state: LinkState) -> float:
    """Live time of all entangling settings in seconds."""
    return sum(state.live_ps.values()) / PS_PER_S
