"""Heralds: exactly one click in the early and exactly one in the late window of an attempt.

A burst begins with a sync click at its start; its n-th attempt starts ``header_ps + n·period_ps`` later. A herald cuts
its burst: what follows until the next sync click is no attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import UsageError
from .records import HERALD_DTYPE, Int64Array, TagBlock, TimeTags
from .streaming import LiveTime
from .times import as_times_ps, check_positive_ps

Window = tuple[int, int]

#: Two clicks in the same detector (A-early and A-late, or both B) herald psi+, in different ones psi-.
OUTCOME_OF_PATTERN = {1 | 4: +1, 2 | 8: +1, 1 | 8: -1, 2 | 4: -1}


@dataclass(frozen=True, slots=True)
class HeraldRule:
    """Where the attempts of a run are, and which clicks herald.

    Attributes:
        sync_channel: channel of the click at the start of each burst.
        detector_a, detector_b: channels of the midpoint detectors.
        header_ps: from the start of a burst to its first attempt.
        period_ps: from one attempt to the next.
        attempts_per_burst: attempts of a burst that no herald cuts.
        early_ps, late_ps: half-open windows ``(start, stop)`` relative to the start of the attempt, disjoint, within the period.

    Raises:
        UsageError: channels not different, lengths not positive, windows that overlap or leave the period.
    """

    sync_channel: int
    detector_a: int
    detector_b: int
    header_ps: int
    period_ps: int
    attempts_per_burst: int
    early_ps: Window
    late_ps: Window

    def __post_init__(self) -> None:
        channels = (self.sync_channel, self.detector_a, self.detector_b)
        if len(set(channels)) != 3 or not all(0 <= c <= 255 for c in channels):
            raise UsageError(
                f"sync_channel, detector_a, detector_b must be three different channels in 0…255, got {channels}"
            )
        check_positive_ps(self.period_ps, "period_ps")
        if self.header_ps < 0:
            raise UsageError(f"header_ps must not be negative, got {self.header_ps}")
        if self.attempts_per_burst < 1:
            raise UsageError(f"attempts_per_burst must be at least 1, got {self.attempts_per_burst}")
        (e0, e1), (l0, l1) = self.early_ps, self.late_ps
        if not 0 <= e0 < e1 <= l0 < l1 <= self.period_ps:
            raise UsageError(
                f"early_ps {self.early_ps} and late_ps {self.late_ps} must follow one another within [0, period_ps = {self.period_ps})"
            )

    def packed(self) -> Int64Array:
        """The rule as the kernel reads it, int64 (10,)."""
        plain = (
            self.sync_channel,
            self.detector_a,
            self.detector_b,
            self.header_ps,
            self.period_ps,
            self.attempts_per_burst,
        )
        return np.array([*plain, *self.early_ps, *self.late_ps], np.int64)


def extract_heralds(tags: TimeTags, rule: HeraldRule) -> NDArray[Any]:
    """Every herald in ``tags``: HERALD_DTYPE (H,), ``t_ps`` the time of the late click, all valid.

    ``attempt`` numbers the attempts of all bursts from 0; a burst cut by a herald holds one attempt more than the herald's
    index in it, any other ``attempts_per_burst`` (fewer only if the next sync click comes before they could begin).
    ``setting`` and ``storage_ps`` are 0: the run fills them in.

    Raises:
        UsageError: unsorted tags.
    """
    as_times_ps(tags.t_ps, "tags.t_ps")
    if not len(tags):
        return np.empty(0, HERALD_DTYPE)
    stream = HeraldStream(rule)
    block = TagBlock(tags, int(tags.t_ps[0]), int(tags.t_ps[-1]) + 1, "tags")
    return np.concatenate([stream.feed(block), stream.finish()])


class HeraldStream:
    """Incremental ``extract_heralds`` over the blocks of one tagger, in constant memory.

    A herald is valid when its whole burst up to the late click lies in live time: no overflow, no gap.

    Attributes:
        pattern_counts: int64 (16,), attempts in live time by pattern bits (1 A-early, 2 B-early, 4 A-late, 8 B-late). A
            second click in the same window of the same detector does not change the pattern but forbids the herald.
            Entry 0 stays 0: attempts without a click are ``attempts - pattern_counts.sum()``.
    """

    def __init__(self, rule: HeraldRule) -> None:
        from .kernels.heralds import STATE_SIZE

        self.rule = rule
        self.live_time = LiveTime()
        self.pattern_counts = np.zeros(16, np.int64)
        self._rule = rule.packed()
        self._state = np.zeros(STATE_SIZE, np.int64)

    @property
    def attempts(self) -> int:
        """Attempts begun before the end of the last block."""
        from .kernels.heralds import attempts_at

        if self.live_time.t_stop_ps is None:
            return 0
        return int(attempts_at(self._rule, self._state, self.live_time.t_stop_ps))

    def feed(self, block: TagBlock) -> NDArray[Any]:
        """Adds a block; returns the heralds whose attempt has ended since the last call, HERALD_DTYPE (H,)."""
        from .kernels.heralds import CLEAN

        if block.overflow or not self.live_time.follows(block):
            self._state[CLEAN] = 0
        self.live_time.feed(block)
        return self._advance(block.tags, block.t_stop_ps, not block.overflow)

    def finish(self) -> NDArray[Any]:
        """The herald of an attempt whose late window was still open at the end of the stream: 0 or 1 rows."""
        return self._advance(TimeTags.empty(), np.iinfo(np.int64).max, True)

    def _advance(self, tags: TimeTags, t_stop_ps: int, clean: bool) -> NDArray[Any]:
        from .kernels.heralds import find_heralds

        room = int(np.count_nonzero(tags.channel == self.rule.sync_channel)) + 1
        t, attempt = np.empty(room, np.int64), np.empty(room, np.int64)
        pattern, valid = np.empty(room, np.uint8), np.empty(room, np.bool_)
        found = find_heralds(
            tags.t_ps,
            tags.channel,
            t_stop_ps,
            clean,
            self._rule,
            self._state,
            self.pattern_counts,
            t,
            attempt,
            pattern,
            valid,
        )
        rows = np.zeros(found, HERALD_DTYPE)
        rows["t_ps"], rows["attempt"], rows["pattern"], rows["valid"] = (
            t[:found],
            attempt[:found],
            pattern[:found],
            valid[:found],
        )
        rows["outcome"] = _OUTCOMES[rows["pattern"]]
        return rows


_OUTCOMES = np.array([OUTCOME_OF_PATTERN.get(pattern, 0) for pattern in range(16)], np.int8)
