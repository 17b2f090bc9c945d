"""Follow a clock live: clicks in as they come, offsets out block by block; gaps, leaps and lost peaks are told apart.

``step`` is pure: ``(state, new clicks) -> (state, offsets)``. The state holds the clicks not yet used (as many as the
offset between the clocks spans), the clock's state, and a bounded history from which its noise is learned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .clock_block import BlockFit, measure_block
from .clock_follow import pairs_near
from .clock_kalman import ClockNoise, ClockState, identify_noise
from .clock_model import piece_at, referred_to
from .clock_relock import relock
from .clock_response import Peak
from .clock_sync import SyncResult
from .clock_trace import WORST_NOISE
from .errors import UsageError
from .records import PS_PER_S, FloatArray, Int64Array

HISTORY = 256
#: Blocks in the history at which the noise is learned first; then every LEARN_EVERY blocks.
LEARN_FIRST = (10, 20, 40)
LEARN_EVERY = 64
LEAP_SIGMAS = 6.0
RELOCK_BLOCKS = 4
PAIRS_A_BLOCK = 100


@dataclass(frozen=True, slots=True)
class TrackedOffset:
    """One block: where the clock is, and what happened.

    Attributes:
        t_ps: middle of the block on A's clock.
        offset_ps, std_ps: filtered estimate from all blocks so far.
        measured_ps, measured_std_ps: this block alone; nan without a peak.
        pairs: true pairs in the block.
        status: "locked"; "leap" (the offset jumped by ``leap_ps`` at about ``leap_t_ps``); "gap" (a side had no clicks);
            "lost" (clicks but no peak).
    """

    t_ps: int
    offset_ps: float
    std_ps: float
    measured_ps: float
    measured_std_ps: float
    pairs: float
    status: str
    leap_ps: float = 0.0
    leap_t_ps: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TrackerState:
    """All a tracker remembers; make one with ``start_tracking``."""

    clock: ClockState
    t_ps: int
    edge_ps: int
    block_ps: int
    peak: Peak
    noise: ClockNoise
    rate_a_hz: float
    a_ps: Int64Array
    b_ps: Int64Array
    history: tuple[tuple[float, float, float], ...] = ()
    lost_blocks: int = 0
    blocks: int = 0


def start_tracking(sync: SyncResult, t_start_ps: int, *, rate_a_hz: float, block_ps: int | None = None) -> TrackerState:
    """A tracker that takes over from a synchronisation at A's time ``t_start_ps``.

    Args:
        rate_a_hz: clicks of A a second, to tell a gap from a lost peak.
        block_ps: length of a block; about 100 pairs and at most 0.1 s where the pairs allow, by default.

    Raises:
        UsageError: the synchronisation found nothing.
    """
    if sync.model is None or sync.response is None:
        raise UsageError("cannot track: the synchronisation found no peak; run it on more data first")
    seconds = max(1e-3, sum(stop - start for start, stop, _ in sync.segments) / PS_PER_S)
    pairs_hz = sync.pairs / seconds
    model = referred_to(piece_at(sync.model, t_start_ps), t_start_ps)
    unit = np.array([1.0, PS_PER_S, PS_PER_S])
    mean = np.array([model.offset_ps, model.skew, model.drift_per_s]) * unit
    covariance = model.covariance * np.outer(unit, unit) + np.diag([1.0, 100.0, 100.0])
    return TrackerState(
        clock=ClockState(mean, covariance),
        t_ps=t_start_ps,
        edge_ps=t_start_ps,
        block_ps=block_ps or round(min(max(PAIRS_A_BLOCK / pairs_hz, 0.02), 2.0) * PS_PER_S),
        peak=Peak(sync.response, 0.0, 0.0, float(sync.pairs), 0.0),
        noise=WORST_NOISE,
        rate_a_hz=rate_a_hz,
        a_ps=np.empty(0, np.int64),
        b_ps=np.empty(0, np.int64),
    )


def step(
    state: TrackerState, new_a_ps: Int64Array, new_b_ps: Int64Array
) -> tuple[TrackerState, tuple[TrackedOffset, ...]]:
    """Take the next clicks of both sides (int64 sorted ps, any amount), give the offsets of the blocks they complete."""
    state = replace(state, a_ps=np.concatenate((state.a_ps, new_a_ps)), b_ps=np.concatenate((state.b_ps, new_b_ps)))
    out = []
    while _complete(state):
        state, offset = _block(state)
        out.append(offset)
    if out:
        state = _forget(state)
    return state, tuple(out)


def _complete(state: TrackerState) -> bool:
    end = state.edge_ps + state.block_ps
    margin = 100_000 + round(6 * float(np.sqrt(state.clock.covariance[0, 0])))
    return bool(
        len(state.a_ps)
        and len(state.b_ps)
        and state.a_ps[-1] >= end
        and state.b_ps[-1] >= end + state.clock.mean[0] + margin
    )


def _forget(state: TrackerState) -> TrackerState:
    """Drop clicks no later block can use; after a loss the last few blocks are kept to look again."""
    from_ps = state.edge_ps - RELOCK_BLOCKS * state.block_ps
    keep_a = np.searchsorted(state.a_ps, from_ps)
    keep_b = np.searchsorted(state.b_ps, from_ps + round(float(state.clock.mean[0])) - 20_000_000_000)
    return replace(state, a_ps=state.a_ps[keep_a:].copy(), b_ps=state.b_ps[keep_b:].copy())


def _block(state: TrackerState) -> tuple[TrackerState, TrackedOffset]:
    lo, hi = state.edge_ps, state.edge_ps + state.block_ps
    middle = (lo + hi) // 2
    clock = state.clock.predicted((middle - state.t_ps) / PS_PER_S, state.noise)
    state = replace(state, clock=clock, t_ps=middle, edge_ps=hi, blocks=state.blocks + 1)
    fit = measure_block(state.a_ps, state.b_ps, lo, hi - 1, clock, state.peak)
    if fit is not None:
        spread = float(np.sqrt(clock.covariance[0, 0] + fit.std_ps**2))
        if abs(fit.shift_ps) < LEAP_SIGMAS * spread or state.lost_blocks:
            return _locked(state, fit)
        return _leapt(state, lo, hi, fit)
    clicks = (np.searchsorted(s, [x, y]) for s, x, y in _ranges(state, lo, hi))
    seen = [int(stop - start) for start, stop in clicks]
    if min(seen) < 0.5 * state.rate_a_hz * state.block_ps / PS_PER_S and min(seen) < 10:
        return state, _blank(state, "gap")
    return _lost(state, lo, hi)


def _ranges(state: TrackerState, lo: int, hi: int) -> tuple[tuple[Int64Array, int, int], ...]:
    shift = round(float(state.clock.mean[0]))
    return (state.a_ps, lo, hi), (state.b_ps, lo + shift, hi + shift)


def _locked(state: TrackerState, fit: BlockFit) -> tuple[TrackerState, TrackedOffset]:
    measured = float(state.clock.mean[0]) + fit.shift_ps
    clock = state.clock.updated(measured, fit.std_ps**2)
    history = (*state.history, (state.t_ps / PS_PER_S, measured, fit.std_ps))[-HISTORY:]
    noise = state.noise
    # After a leap the noise learned before it holds until as many blocks have been seen again.
    early = len(history) in LEARN_FIRST and len(history) == state.blocks
    if early or (len(history) >= LEARN_EVERY and state.blocks % LEARN_EVERY == 0):
        t_s, offset, stds = (np.array(column) for column in zip(*history, strict=True))
        noise = identify_noise(t_s, offset - offset[0], stds)
    state = replace(state, clock=clock, history=history, noise=noise, lost_blocks=0)
    std = float(np.sqrt(clock.covariance[0, 0]))
    return state, TrackedOffset(state.t_ps, float(clock.mean[0]), std, measured, fit.std_ps, fit.pairs, "locked")


def _blank(state: TrackerState, status: str) -> TrackedOffset:
    nan = float("nan")
    std = float(np.sqrt(state.clock.covariance[0, 0]))
    return TrackedOffset(state.t_ps, float(state.clock.mean[0]), std, nan, nan, 0.0, status)


def _leapt(state: TrackerState, lo: int, hi: int, fit: BlockFit) -> tuple[TrackerState, TrackedOffset]:
    """The peak jumped but stayed in view: find when, and take the offset from after the jump."""
    at_s, size, std = _change_point(fit, state.peak.response.std_ps)
    at_ps = (lo + hi) // 2 + round(at_s * PS_PER_S)
    return _restart(state, size, std, at_ps, fit.pairs)


def _change_point(fit: BlockFit, response_std_ps: float) -> tuple[float, float, float]:
    """Time (seconds from the block's middle), size and error of the step that explains the residuals best."""
    window = 4 * response_std_ps
    keep = np.minimum(np.abs(fit.near.residual_ps), np.abs(fit.near.residual_ps - fit.shift_ps)) < window
    u, r = fit.near.u_s[keep], fit.near.residual_ps[keep]
    after = np.cumsum(r[::-1])[::-1]
    left = len(r) - np.arange(len(r))
    gain = after**2 / left
    k = int(np.argmax(gain[: max(1, len(r) - 2)]))
    late = r[k:]
    late = late[np.abs(late - np.median(late)) < window]
    return float(u[k]), float(late.mean()), float(response_std_ps / np.sqrt(len(late)))


def _lost(state: TrackerState, lo: int, hi: int) -> tuple[TrackerState, TrackedOffset]:
    """No peak in view: look around with the last blocks, again after 1, 2, 4, 8 … lost blocks."""
    lost = state.lost_blocks + 1
    state = replace(state, lost_blocks=lost)
    if lost & (lost - 1):
        return state, _blank(state, "lost")
    from_ps = max(hi - min(lost, RELOCK_BLOCKS) * state.block_ps, int(state.a_ps[0]))
    at = state.clock.predicted(((from_ps + hi) // 2 - state.t_ps) / PS_PER_S, state.noise)
    shift = relock(state.a_ps, state.b_ps, from_ps, hi - 1, at)
    if shift is None:
        return state, _blank(state, "lost")
    moved = replace(state, clock=state.clock.displaced(shift, state.peak.response.std_ps))
    again = measure_block(state.a_ps, state.b_ps, lo, hi - 1, moved.clock, state.peak)
    if again is None:
        return state, _blank(state, "lost")
    at_ps = _crossing(state, moved.clock.mean + np.array([again.shift_ps, 0, 0]), hi)
    return _restart(state, shift + again.shift_ps, again.std_ps, at_ps, again.pairs)


def _crossing(state: TrackerState, new: FloatArray, hi: int) -> int:
    """When the pairs left the old line for the ``new`` one: most pairs on the old before, on the new after."""
    lo = hi - RELOCK_BLOCKS * state.block_ps
    half = 3 * state.peak.response.std_ps
    lines = [line * np.array([1.0, 1.0, 0.5]) for line in (state.clock.mean, new)]
    old, late = (np.sort(pairs_near(state.a_ps, state.b_ps, lo, hi, state.t_ps, c, half).u_s) for c in lines)
    times = np.concatenate((old, late))
    score = np.searchsorted(old, times) + len(late) - np.searchsorted(late, times)
    return state.t_ps + round(float(times[np.argmax(score)]) * PS_PER_S)


def _restart(
    state: TrackerState, leap_ps: float, std_ps: float, at_ps: int, pairs: float
) -> tuple[TrackerState, TrackedOffset]:
    clock = state.clock.displaced(leap_ps, std_ps)
    # What made the clock leap may have changed its rate: let the next blocks teach it, or every one would be a leap.
    clock.covariance[1, 1] += (std_ps * PS_PER_S / state.block_ps) ** 2
    state = replace(state, clock=clock, history=(), lost_blocks=0)
    offset = float(clock.mean[0])
    return state, TrackedOffset(state.t_ps, offset, std_ps, offset, std_ps, pairs, "leap", leap_ps, at_ps)


def phase_series(offsets: tuple[TrackedOffset, ...], block_ps: int) -> FloatArray:
    """Measured offsets in seconds on an even grid of blocks for ``stability.allan``: float64 (K,), nan where none."""
    index = np.array([(o.t_ps - offsets[0].t_ps) // block_ps for o in offsets], np.int64)
    phase = np.full(int(index[-1]) + 1, np.nan)
    phase[index] = [o.measured_ps / PS_PER_S for o in offsets]
    return phase
