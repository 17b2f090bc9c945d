"""Heralds found in the clicks and the markers of the herald electronics: the markers decide."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.sequences.experiments.link_match import MarkedHeralds

REACH_PS = 60_000_000
PERIOD_PS = 10 * REACH_PS


def told(clicks, outcomes, markers, block_ps):
    """Outcomes in order when everything comes in blocks of this length; a click is known one reach after it happened."""
    marked, found = MarkedHeralds(REACH_PS), []
    clicks, outcomes, markers = (np.asarray(values, np.int64) for values in (clicks, outcomes, markers))
    stop_ps = int(max(clicks.max(initial=0), markers.max(initial=0))) + 3 * REACH_PS
    for end_ps in range(block_ps, stop_ps + block_ps, block_ps):
        known = (clicks + REACH_PS > end_ps - block_ps) & (clicks + REACH_PS <= end_ps)
        new = (markers >= end_ps - block_ps) & (markers < end_ps)
        found += marked.add(clicks[known], outcomes[known], markers[new], end_ps)
    return found


@pytest.mark.parametrize("block_ps", [REACH_PS // 7, REACH_PS, 37 * REACH_PS])
class TestMarkedHeralds:
    def test_each_marker_gets_the_outcome_of_its_clicks(self, block_ps):
        clicks = PERIOD_PS * np.arange(1, 40)
        outcomes = np.where(np.arange(1, 40) % 3, 1, -1)
        assert told(clicks, outcomes, clicks + 4_000_000, block_ps) == outcomes.tolist()

    def test_a_marker_without_a_herald_keeps_its_place(self, block_ps):
        """The electronics heralded on a click that the tagger saw outside the window: what follows must not shift."""
        markers = PERIOD_PS * np.arange(1, 6)
        clicks = np.delete(markers, 2) - 4_000_000
        assert told(clicks, [1, -1, 1, -1], markers, block_ps) == [1, -1, 0, 1, -1]

    def test_a_herald_without_a_marker_is_dropped(self, block_ps):
        clicks = PERIOD_PS * np.arange(1, 6)
        assert told(clicks, [1, -1, 1, 1, -1], np.delete(clicks, 1) + 4_000_000, block_ps) == [1, 1, 1, -1]

    def test_a_marker_out_of_reach_of_any_click_is_not_used(self, block_ps):
        assert told([PERIOD_PS], [1], [PERIOD_PS + REACH_PS], block_ps) == [0]
