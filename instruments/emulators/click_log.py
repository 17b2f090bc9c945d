"""The clicks of the last moments at one tagger of a simulated lab, and the number of all before: on its clock and the lab's."""

from __future__ import annotations

from collections import deque

import numpy as np

from ...analysis.records import PS_PER_S, FloatArray, Int64Array, TagBlock, TimeTags

KEPT_PS = 2 * PS_PER_S
N_CHANNELS = 256


class ClickLog:
    """Blocks of one tagger, the younger ones whole, of the older ones only how many clicks each input had."""

    def __init__(self) -> None:
        self._blocks: deque[TagBlock] = deque()
        self._lab_ps: deque[tuple[int, int]] = deque()
        self._before = np.zeros(N_CHANNELS, np.int64)

    @property
    def now_ps(self) -> int:
        """End of the last block, on the tagger's clock."""
        return self._blocks[-1].t_stop_ps if self._blocks else 0

    def add(self, block: TagBlock, lab_start_ps: int, lab_stop_ps: int) -> None:
        """The next block, and the lab times at which it began and ended."""
        self._blocks.append(block)
        self._lab_ps.append((lab_start_ps, lab_stop_ps))
        while self._blocks[0].t_stop_ps < block.t_stop_ps - KEPT_PS:
            self._before += np.bincount(self._blocks.popleft().tags.channel, minlength=N_CHANNELS)
            self._lab_ps.popleft()

    def between(self, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        """Clicks in ``[t_start_ps, t_stop_ps)`` of the tagger's clock, as far back as they are kept."""
        wanted = [b.tags for b in self._blocks if b.t_stop_ps > t_start_ps and b.t_start_ps < t_stop_ps]
        return TimeTags.concatenate(wanted).between(t_start_ps, t_stop_ps) if wanted else TimeTags.empty()

    def edges_ps(self, channel: int) -> Int64Array:
        """Lab times of the clicks kept on an input: int64 (N,) ps, to the picosecond."""
        parts = [_on_lab_clock(b, channel, *span) for b, span in zip(self._blocks, self._lab_ps, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def counts(self, channel: int, lab_ps: Int64Array) -> FloatArray:
        """Clicks on an input since the beginning, before each of the lab times: float64 (M,)."""
        seen: FloatArray = np.searchsorted(self.edges_ps(channel), lab_ps).astype(np.float64)
        return seen + float(self._before[channel])


def _on_lab_clock(block: TagBlock, channel: int, start_ps: int, stop_ps: int) -> Int64Array:
    since_ps = block.tags.on(channel) - block.t_start_ps
    length_ps = block.t_stop_ps - block.t_start_ps
    slower = (stop_ps - start_ps - length_ps) / length_ps if length_ps > 0 else 0.0
    lab_ps: Int64Array = start_ps + since_ps + np.rint(since_ps * slower).astype(np.int64)
    return lab_ps
