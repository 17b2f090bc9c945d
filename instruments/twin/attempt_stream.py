"""Plays a program: draws what happens in the attempts, in fixed batches, and hands out clicks and markers in time.

Attempts without a click cost nothing: the number of attempts to the next click is geometric. Batches have a fixed number
of draws, so the clicks are the same however time is cut into blocks.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ...analysis.records import FloatArray, Int64Array
from .attempt_model import AttemptModel
from .conditions import LOCAL, MIDPOINT
from .node import Readout
from .origins import Heralds
from .program import Program
from .sampling import clicked_attempts
from .timeline import Position, Runs, attempt_start, attempts_between, bursts_between, first_attempt_at, lay_out

OUTPUTS = ("ch1", "ch2", "ch3", "ch4", "herald", "alice_herald", "bob_herald")
_BATCH = 16384
_DENSE_ABOVE = 0.2
_LONGEST_BATCH_PS = 2e17
_TYPICAL_BATCH_PS = 6e14

Events = tuple[Int64Array, Int64Array]  # time of the event, start of the attempt it belongs to
_NONE: Events = (np.empty(0, np.int64), np.empty(0, np.int64))


class AttemptStream:
    """The program from ``position`` on under one model. ``pending`` takes over events of attempts already played.

    ``close`` draws what only heralds need.
    """

    def __init__(
        self,
        program: Program,
        model: AttemptModel,
        position: Position,
        rng: Generator,
        close: Generator,
        pending: dict[str, Events] | None = None,
    ) -> None:
        self.program, self.model = program, model
        self.finished = False
        self._rng = rng
        self._close = close
        self._next, self._end_ps = position, position.burst_start_ps
        self._runs: list[Runs] = []
        self._pending = pending or dict.fromkeys(OUTPUTS, _NONE)
        self._new: dict[str, list[Events]] = {name: [] for name in OUTPUTS}
        self._cumulative = np.cumsum(model.probability)
        self._dense = bool(model.attempt_readouts or model.glows) or model.click_probability > _DENSE_ABOVE
        self._batch, self._longest_gap = self._batch_size()

    def take_until(self, t_ps: int) -> dict[str, Int64Array]:
        """Events earlier than ``t_ps`` not yet taken, by output: sorted int64 ps."""
        while not self.finished and self._end_ps < t_ps:
            self._play_batch()
        self._gather()
        taken = {}
        for name, (times, starts) in self._pending.items():
            now = times < t_ps
            taken[name] = np.sort(times[now], kind="stable")  # a few sorted runs
            if taken[name].size:
                self._pending[name] = (times[~now], starts[~now])
        return taken

    def markers(self, channel: str, t_start_ps: int, t_stop_ps: int) -> Int64Array:
        """Pulses on a digital output in the stretch, which must have been taken: sorted int64 ps."""
        in_header = [p.start_ps for p in self.program.header.on(channel)]
        in_attempt = [p.start_ps for p in self.program.attempt.on(channel)]
        if not in_header and not in_attempt:
            return np.empty(0, np.int64)
        reach = max(in_header + in_attempt)
        self._runs = [r for r in self._runs[:-1] if self._run_end(r) >= t_start_ps - reach] + self._runs[-1:]
        found = []
        for runs in self._runs:
            stretch = (self.program, runs, t_start_ps - reach, t_stop_ps)
            if in_header:
                bursts = bursts_between(*stretch)
                found += [bursts + offset for offset in in_header]
            if in_attempt:
                attempts = attempts_between(*stretch)
                found += [attempts + offset for offset in in_attempt]
        times = np.sort(np.concatenate([*found, np.empty(0, np.int64)]))
        return times[(times >= t_start_ps) & (times < t_stop_ps)]

    def exhausted(self, t_ps: int) -> bool:
        """Whether the last burst was over before ``t_ps`` and nothing is due."""
        return self.finished and self._end_ps < t_ps and not any(len(t) for t, _ in self._pending.values())

    def cut(self, t_ps: int) -> tuple[Position | None, dict[str, Events]]:
        """Forgets all attempts begun at or after ``t_ps``: where to go on (None: finished), and what is still due."""
        self._gather()
        kept = {name: (t[s < t_ps], s[s < t_ps]) for name, (t, s) in self._pending.items()}
        for runs in self._runs:
            found = first_attempt_at(self.program, runs, t_ps)
            if found is not None:
                return found[1], kept
        return (None if self.finished else self._next), kept

    def _run_end(self, runs: Runs) -> int:
        last = np.array([runs.first[-1] + runs.attempts[-1]])
        return int(attempt_start(self.program, runs.origin_ps[-1:], last)[0])

    def _batch_size(self) -> tuple[int, int]:
        if self._dense:
            return _BATCH, 1
        expected = _TYPICAL_BATCH_PS / self.program.attempt.length_ps * self.model.click_probability
        size = int(np.clip(np.ceil(expected), 16, _BATCH))
        return size, int(_LONGEST_BATCH_PS / (size * self.program.attempt.length_ps)) + 1

    def _play_batch(self) -> None:
        index, masks, attempts = self._draw()
        heralds = index[self.model.heralds[masks]]
        runs, after = lay_out(self.program, self._next, heralds, attempts, self.model.hold_ps)
        run = np.searchsorted(heralds, index, side="left")
        begins = np.concatenate([[0], heralds + 1])
        within = index - begins[run]
        start = attempt_start(self.program, runs.origin_ps[run], runs.first[run] + within)
        if self.program.bursts:
            runs = self._limit(runs)
            played = within < runs.attempts[run]
            masks, start = masks[played], start[played]
        self._runs.append(runs)
        self._next, self._end_ps = after, after.burst_start_ps
        left = self._click(masks, start)
        self._glow(start)
        if self.model.attempt_readouts:
            self._read_out(start, self.model.attempt_readouts, self.model.attempt_populations[masks], (0, 0))
        heralded = start[self.model.heralds[masks]]
        self._herald(heralded)
        self._read_out(heralded, self.model.herald_readouts, left, self.model.arrival_ps)

    def _draw(self) -> tuple[Int64Array, Int64Array, int]:
        """Attempts worth a look (numbers, patterns) and how many attempts were played in all."""
        if not self._dense:
            return clicked_attempts(self._rng, self._cumulative, self._batch, self._longest_gap)
        masks = np.searchsorted(self._cumulative, self._rng.random(self._batch), side="right")
        return np.arange(self._batch), np.minimum(masks, len(self._cumulative) - 1), self._batch

    def _limit(self, runs: Runs) -> Runs:
        """Cuts what lies beyond the last burst asked for."""
        room = (self.program.bursts - runs.bursts_before) * self.program.attempts_per_burst - runs.first
        attempts = np.clip(runs.attempts, 0, np.maximum(room, 0))
        self.finished = bool(np.any(attempts < runs.attempts)) or bool(
            runs.bursts_before[-1] * self.program.attempts_per_burst + runs.first[-1] + attempts[-1]
            >= self.program.bursts * self.program.attempts_per_burst
        )
        return Runs(runs.origin_ps, runs.first, attempts, runs.bursts_before)

    def _click(self, masks: Int64Array, start: Int64Array) -> FloatArray:
        """Clicks of all these attempts; returns what the heralds among them leave to be read: populations (H, 4)."""
        heralded = self.model.heralds[masks]
        seen = Heralds(self.model.origins, masks[heralded], self._close) if np.any(heralded) else None
        for bit, times in enumerate(self.model.click_times):
            clicked = (masks >> bit & 1) == 1
            begun = start[clicked]
            if times is not None and len(begun):
                drawn = self._rng.random(len(begun))
                delay = times.draw(drawn)
                if seen is not None and bit < seen.window_bits:
                    own = heralded[clicked]
                    delay[own] = seen.click(bit, drawn[own], delay[own])
                self._add(MIDPOINT[bit % 2], begun + np.rint(delay).astype(np.int64), begun)
        return seen.populations() if seen is not None and self.model.herald_readouts else np.empty((0, 4))

    def _glow(self, start: Int64Array) -> None:
        for glow in self.model.glows:
            begun = np.repeat(start, self._rng.poisson(glow.mean, len(start)))
            within = (self._rng.random(len(begun)) * (glow.stop_ps - glow.start_ps)).astype(np.int64)
            self._add(LOCAL[glow.node], begun + glow.start_ps + within, begun)

    def _herald(self, start: Int64Array) -> None:
        self._add("herald", start + self.model.decision_ps, start)
        self._add("alice_herald", start + self.model.arrival_ps[0], start)
        self._add("bob_herald", start + self.model.arrival_ps[1], start)

    def _read_out(
        self,
        start: Int64Array,
        readouts: tuple[Readout, ...],
        populations: FloatArray,
        offset_ps: tuple[int, int],
    ) -> None:
        """Projects the two spins together, then lets each node shine for as long as its pulse lasts."""
        if not readouts or not len(start):
            return
        cumulative = np.cumsum(populations, axis=1)
        state = np.minimum((self._rng.random(len(start))[:, None] >= cumulative).sum(axis=1), 3)
        for r in readouts:
            dark = (state >> (1 - r.node)) & 1
            if r.echo_ps is None:
                self._shine(start, offset_ps, r, np.where(dark == 1, r.dark_mean, r.bright_mean), (0, r.duration_ps))
            else:
                first, last = (t - r.start_ps for t in r.echo_ps)
                self._shine(start, offset_ps, r, np.full(len(dark), r.dark_mean), (0, r.duration_ps))
                self._shine(start, offset_ps, r, np.where(dark == 1, 0.0, r.bright_mean - r.dark_mean), (first, last))

    def _shine(
        self, start: Int64Array, offset_ps: tuple[int, int], r: Readout, mean: FloatArray, within_ps: tuple[int, int]
    ) -> None:
        """Poisson photons, uniform between two times after the read-out began."""
        begun = np.repeat(start, self._rng.poisson(mean))
        first, last = within_ps
        after = (first + self._rng.random(len(begun)) * (last - first)).astype(np.int64)
        self._add(LOCAL[r.node], begun + offset_ps[r.node] + r.start_ps + after, begun)

    def _add(self, name: str, times: Int64Array, starts: Int64Array) -> None:
        self._new[name].append((times, starts))

    def _gather(self) -> None:
        """Joins what the batches have added to what is pending."""
        for name, added in self._new.items():
            if added:
                parts = [self._pending[name], *added]
                self._pending[name] = (np.concatenate([t for t, _ in parts]), np.concatenate([s for _, s in parts]))
                added.clear()
